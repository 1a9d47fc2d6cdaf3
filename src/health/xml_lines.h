/*
 * xml_lines.h - broker messages from logs that print one XML line per log line.
 *
 * A client logs each line of a message as a log line of its own, ":XML: " and indentation before
 * it. Excerpts begin and end anywhere, so this is no XML parser: it takes tags and texts as they
 * come and never fails. For each element with text that is closed (or cut by another tag), and
 * for each element of a message's second level (the message itself), it calls back.
 */
#ifndef FAIRLEAD_HEALTH_XML_LINES_H
#define FAIRLEAD_HEALTH_XML_LINES_H

#include <stddef.h>

#define XML_LINES_NAME 48
#define XML_LINES_TEXT 512 /* of one element; what is longer is cut */

/* One message in the making; one for each session id of a file. Zeroed is empty. */
struct xml_lines {
	char message[XML_LINES_NAME]; /* "authenticate-resp"; empty while unknown */
	char element[XML_LINES_NAME]; /* open, with its text so far */
	char text[XML_LINES_TEXT];
	size_t text_length;
};

/* `message` "" when the log does not show it; `text` is trimmed, with the five entities and
 * character references resolved; "" when the message itself begins (element == message). */
typedef void xml_lines_seen(
	void *context, const char *message, const char *element, const char *text);

/* Takes the XML of the next log line, without ":XML:". Elements whose name ends in -resp, and the
 * requests of the protocol's page (hello, authenticate, get-resource-list, allocate-resource, bye,
 * launch-session ...: any element directly below pcoip-client, pcoip-broker, pcoip-agent, or,
 * in an excerpt without root, a known name) are messages. */
void xml_lines_take(struct xml_lines *lines, const char *bytes, size_t length, xml_lines_seen *seen,
	void *context);

#endif
