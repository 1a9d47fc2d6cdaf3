/* FreeRADIUS for the demo: a second factor that asks for a code. */

#include <sys/socket.h>

#include "base/error.h"
#include "client/demo_directory_private.h"

static const struct demo_directory_need needs[] = {
	{"freeradius", "freeradius"},
	{"/usr/share/freeradius/dictionary", "freeradius-common"},
	{0},
};

static void print_server(const struct demo_directory *directory, struct buffer *out)
{
	const char *folder = directory->options.files->folder;

	buffer_print(out,
		"# FreeRADIUS, written by 'fairlead demo'; see unlang(5).\n"
		"raddbdir = %s\n"
		"libdir = /usr/lib/freeradius\n"
		"logdir = %s\n"
		"run_dir = %s\n"
		"security {\n"
		"	reject_delay = 0\n"
		"	status_server = no\n"
		"}\n"
		"modules {\n"
		"	always handled {\n"
		"		rcode = handled\n"
		"	}\n"
		"	always reject {\n"
		"		rcode = reject\n"
		"	}\n"
		"}\n"
		"# Who may ask: the broker and the agent, which know the secret and sign what "
		"they\n"
		"# send.\n"
		"client fairlead {\n"
		"	ipaddr = 127.0.0.1\n"
		"	secret = %s\n"
		"	require_message_authenticator = yes\n"
		"}\n",
		folder, folder, folder, directory->secret);
	buffer_print(out,
		"server default {\n"
		"	listen {\n"
		"		type = auth\n"
		"		ipaddr = 127.0.0.1\n"
		"		port = %u\n"
		"	}\n"
		"	authorize {\n"
		"		# Answers are signed, too.\n"
		"		update reply {\n"
		"			&Message-Authenticator := 0x00\n"
		"		}\n"
		"		if (!&State) {\n"
		"			# The password has been checked already: ask for the "
		"code.\n"
		"			update reply {\n"
		"				&Reply-Message := \"The demo's token shows a code. "
		"Which?\"\n"
		"				&State := 0x64656d6f\n"
		"			}\n"
		"			update control {\n"
		"				&Response-Packet-Type := Access-Challenge\n"
		"			}\n"
		"			handled\n"
		"		}\n"
		"		elsif (&User-Name == \"" DEMO_FILES_USER
		"\" && &User-Password == \"%s\") {\n"
		"			update control {\n"
		"				&Auth-Type := Accept\n"
		"			}\n"
		"		}\n"
		"		else {\n"
		"			reject\n"
		"		}\n"
		"	}\n"
		"	authenticate {\n"
		"	}\n"
		"}\n",
		directory->port, directory->code);
}

static int write_files(struct demo_directory *directory)
{
	struct buffer text;
	int error;

	buffer_init(&text, DEMO_DIRECTORY_TEXT_MAXIMUM);
	print_server(directory, &text);
	error = demo_directory_write(directory, "radiusd.conf", &text);
	buffer_free(&text);
	return error;
}

static void serve(struct demo_directory *directory, const char **arguments)
{
	*arguments++ = "freeradius";
	*arguments++ = "-f"; /* in the foreground */
	*arguments++ = "-l";
	*arguments++ = "stdout";
	*arguments++ = "-d";
	*arguments++ = directory->options.files->folder;
	*arguments++ = "-D";
	*arguments++ = "/usr/share/freeradius";
	*arguments = NULL;
}

static void print_config(const struct demo_directory *directory, struct buffer *out)
{
	buffer_print(out,
		"# After the password, every user is asked for a code by a RADIUS server.\n"
		"radius:\n"
		"  - name: token\n"
		"    # Several servers are asked in this order.\n"
		"    servers:\n"
		"      - address: %s\n"
		"        port: %u\n"
		"        # The secret shared with the server, in a file that only the program can\n"
		"        # read.\n"
		"        secret-file: directory.secret\n"
		"    # What the first request carries. The server then asks by a challenge, which "
		"the\n"
		"    # user's client shows.\n"
		"    first: text\n"
		"    text: challenge\n",
		directory->host, directory->port);
}

const struct demo_directory_kind demo_directory_radius = {
	.name = "freeradius",
	.needs = needs,
	.socket = SOCK_DGRAM,
	.asks_code = true,
	.ready = "Ready to process requests",
	.write = write_files,
	.serve = serve,
	.config = print_config,
};
