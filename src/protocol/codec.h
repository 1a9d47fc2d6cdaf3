/*
 * codec.h - messages to XML and back, driven by the tables.
 *
 * There is no other parser or writer of messages in Fairlead.
 */
#ifndef FAIRLEAD_PROTOCOL_CODEC_H
#define FAIRLEAD_PROTOCOL_CODEC_H

#include "base/buffer.h"
#include "protocol/message.h"
#include "protocol/result.h"
#include "wire/xml.h"

#define CODEC_DETAIL_SIZE 320

/* Why a document is not a message. */
struct codec_fault {
	enum result_id result;          /* ERR_INVALID_MSG_FORMAT, or ERR_UNSUPPORTED_VERSION ... */
	char detail[CODEC_DETAIL_SIZE]; /* element, line, column: goes into err-detail */
	/* The root element was one of those asked for: answer under it and with this version, which
	 * is the one asked where that is served, else the newest. */
	bool has_root;
	enum message_root root;
	struct message_version version;
};

/* Decodes one document whose root must be one of `roots` (bits 1 << ROOT_x).
 * Unknown elements and attributes are skipped; name-spaced elements inside the message are kept,
 * each made to declare the name spaces of its own and its descendants' names (prefixes inside
 * values are not looked for); limits, required elements, types and single occurrence are checked.
 * 0; ERROR_INPUT with the fault; ERROR_MEMORY
 * (also when the arena is full: the fault then says the message is too large). */
int codec_decode(struct xml_reader *reader, struct arena *arena, unsigned roots, const char *bytes,
	size_t length, struct message **ret_message, struct codec_fault *fault);

enum codec_layout {
	CODEC_COMPACT, /* no white space between elements */
	CODEC_PAGE,    /* as the specification page prints it: message element at the
			* margin, three blanks per level below, one element a line, no
			* line feed after the root element */
};

/* Appends the XML declaration and the message; children in table order,
 * extensions last. 0 or the buffer's error (the bytes appended until then stay). */
int codec_encode(const struct message *message, enum codec_layout layout, struct buffer *out);

/* As CODEC_PAGE, but with secrets as "*****", names as `show_name` says (user data first; NULL:
 * "*****" as well) and a comment for each extension, which may hold anything. Fails only as
 * codec_encode does. For logs and captures. */
int codec_encode_redacted(const struct message *message,
	const char *(*show_name)(void *user, const char *name), void *user, struct buffer *out);

#endif
