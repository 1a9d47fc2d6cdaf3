/* OpenLDAP for the demo. */

#include <sys/socket.h>

#include "base/error.h"
#include "client/demo_directory_private.h"

#define BASE "dc=demo,dc=test"

static const struct demo_directory_need needs[] = {
	{"slapd", "slapd"},
	{"slapadd", "slapd"},
	{"/etc/ldap/schema/core.schema", "slapd"},
	{0},
};

static void print_server(const struct demo_directory *directory, struct buffer *out)
{
	const char *folder = directory->options.files->folder;

	buffer_print(out,
		"# OpenLDAP, written by 'fairlead demo'; see slapd.conf(5).\n"
		"include /etc/ldap/schema/core.schema\n"
		"include /etc/ldap/schema/cosine.schema\n"
		"include /etc/ldap/schema/inetorgperson.schema\n"
		"modulepath /usr/lib/ldap\n"
		"moduleload back_mdb\n"
		"moduleload memberof\n"
		"pidfile %s/slapd.pid\n"
		"# Passwords go over TLS only: the server listens on ldaps alone.\n"
		"TLSCACertificateFile %s/ca.pem\n"
		"TLSCertificateFile %s/directory-ecdsa.pem\n"
		"TLSCertificateKeyFile %s/directory-ecdsa.key\n"
		"TLSProtocolMin 3.3\n"
		"database mdb\n"
		"suffix %s\n"
		"directory %s/ldap\n"
		"rootdn cn=root,%s\n"
		"index objectClass,uid,member eq\n"
		"# Users prove themselves by binding; who has done so may search.\n"
		"access to attrs=userPassword by anonymous auth by * none\n"
		"access to * by users read by * none\n"
		"# Every user says which groups he is in.\n"
		"overlay memberof\n",
		folder, folder, folder, folder, BASE, folder, BASE);
}

static void print_people(const struct demo_directory *directory, struct buffer *out)
{
	buffer_print(out,
		"dn: " BASE "\n"
		"objectClass: domain\n"
		"dc: demo\n\n"
		"# The account of the broker and the agent, which searches for users.\n"
		"dn: cn=fairlead," BASE "\n"
		"objectClass: organizationalRole\n"
		"objectClass: simpleSecurityObject\n"
		"cn: fairlead\n"
		"userPassword: %s\n\n"
		"dn: uid=" DEMO_FILES_USER "," BASE "\n"
		"objectClass: inetOrgPerson\n"
		"uid: " DEMO_FILES_USER "\n"
		"cn: Demo User\n"
		"sn: User\n"
		"userPassword: {CRYPT}%s\n"
		"memberOf: cn=staff," BASE "\n\n"
		"dn: cn=staff," BASE "\n"
		"objectClass: groupOfNames\n"
		"cn: staff\n"
		"member: uid=" DEMO_FILES_USER "," BASE "\n",
		directory->secret, directory->options.files->hash);
}

static int write_files(struct demo_directory *directory)
{
	struct buffer text;
	int error = demo_directory_folder(directory, "ldap");

	buffer_init(&text, DEMO_DIRECTORY_TEXT_MAXIMUM);
	print_server(directory, &text);
	if (error == 0)
		error = demo_directory_write(directory, "slapd.conf", &text);
	buffer_free(&text);
	buffer_init(&text, DEMO_DIRECTORY_TEXT_MAXIMUM);
	print_people(directory, &text);
	if (error == 0)
		error = demo_directory_write(directory, "people.ldif", &text);
	buffer_free(&text);
	return error;
}

static void fill(struct demo_directory *directory, const char **arguments)
{
	(void)demo_directory_path(directory, "slapd.conf", directory->arguments[0]);
	(void)demo_directory_path(directory, "people.ldif", directory->arguments[1]);
	*arguments++ = "slapadd";
	*arguments++ = "-q";
	*arguments++ = "-f";
	*arguments++ = directory->arguments[0];
	*arguments++ = "-l";
	*arguments++ = directory->arguments[1];
	*arguments = NULL;
}

static void serve(struct demo_directory *directory, const char **arguments)
{
	(void)demo_directory_path(directory, "slapd.conf", directory->arguments[0]);
	snprintf(directory->arguments[1], sizeof(directory->arguments[1]), "ldaps://%s",
		directory->address);
	*arguments++ = "slapd";
	*arguments++ = "-d"; /* in the foreground */
	*arguments++ = "stats";
	*arguments++ = "-f";
	*arguments++ = directory->arguments[0];
	*arguments++ = "-h";
	*arguments++ = directory->arguments[1];
	*arguments = NULL;
}

static void print_config(const struct demo_directory *directory, struct buffer *out)
{
	buffer_print(out,
		"domains:\n"
		"  - " DEMO_FILES_DOMAIN "\n"
		"# Users, their passwords and their groups are in a directory; there is no list "
		"of\n"
		"# users in this file.\n"
		"directories:\n"
		"  - name: demo\n"
		"    kind: ldap\n"
		"    # Several servers are asked in this order.\n"
		"    servers: ['ldaps://%s']\n"
		"    # Who has signed the server's certificate.\n"
		"    ca: ca.pem\n"
		"    base: " BASE "\n"
		"    # An account that may search. Its password stands in a file that only the\n"
		"    # program can read.\n"
		"    bind-dn: cn=fairlead," BASE "\n"
		"    bind-password-file: directory.secret\n",
		directory->address);
}

const struct demo_directory_kind demo_directory_ldap = {
	.name = "slapd",
	.needs = needs,
	.socket = SOCK_STREAM,
	.write = write_files,
	.fill = fill,
	.serve = serve,
	.config = print_config,
};
