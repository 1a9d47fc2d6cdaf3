/* Samba for the demo: a domain controller with two accounts and a group. */

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/secret.h"
#include "client/demo_directory_private.h"

#define REALM "DEMO.TEST"
#define USERS "CN=Users,DC=demo,DC=test"
#define PASSWORD_MAXIMUM 128

static const struct demo_directory_need needs[] = {
	{"samba", "samba"},
	{"python3", "python3"},
	{"/usr/lib/python3/dist-packages/samba/provision/__init__.py", "python3-samba"},
	{"/usr/share/samba/setup/provision.ldif", "samba-ad-provision"},
	{"/usr/lib/*/samba/ldb/samba_dsdb.so", "samba-dsdb-modules"},
	{0},
};

static const char *const folders[] = {
	"private", "lock", "state", "cache", "run", "ncalrpc", "bind-dns"};

static void print_server(const struct demo_directory *directory, struct buffer *out)
{
	const char *folder = directory->options.files->folder;

	buffer_print(out,
		"# Samba as an Active Directory domain controller, written by 'fairlead demo'; "
		"see\n"
		"# smb.conf(5). LDAP is all it serves, on a loopback address of its own.\n"
		"[global]\n"
		"netbios name = DC1\n"
		"workgroup = " DEMO_FILES_DOMAIN "\n"
		"realm = " REALM "\n"
		"server role = active directory domain controller\n"
		"server services = ldap\n"
		"interfaces = %s/8\n"
		"bind interfaces only = yes\n"
		"# Passwords over TLS only.\n"
		"ldap server require strong auth = yes\n"
		"tls enabled = yes\n"
		"tls keyfile = %s/directory-rsa.key\n"
		"tls certfile = %s/directory-rsa.pem\n"
		"tls cafile = %s/ca.pem\n"
		"private dir = %s/private\n"
		"lock directory = %s/lock\n"
		"state directory = %s/state\n"
		"cache directory = %s/cache\n"
		"pid directory = %s/run\n"
		"ncalrpc dir = %s/ncalrpc\n"
		"binddns dir = %s/bind-dns\n"
		"ntp signd socket directory = %s/run/ntp\n"
		"winbindd socket directory = %s/run/winbindd\n"
		"load printers = no\n"
		"disable spoolss = yes\n"
		"[sysvol]\n"
		"path = %s/state/sysvol\n"
		"[netlogon]\n"
		"path = %s/state/sysvol/netlogon\n",
		directory->host, folder, folder, folder, folder, folder, folder, folder, folder,
		folder, folder, folder, folder, folder, folder);
}

/* What `samba-tool domain provision` does, without the rights of file shares, which this domain
 * does not have and not every file system can keep. */
static void print_provision(const struct demo_directory *directory, struct buffer *out)
{
	buffer_print(out,
		"\"\"\"Makes the domain and puts people.ldif into it. Written by 'fairlead "
		"demo'.\"\"\"\n"
		"import logging\n\n"
		"import samba\n"
		"from samba.auth import system_session\n"
		"from samba.param import LoadParm\n"
		"from samba.provision import provision\n"
		"from samba.samdb import SamDB\n\n"
		"FOLDER, ADDRESS = '%s', '%s'\n"
		"lp = LoadParm()\n"
		"lp.load(FOLDER + '/smb.conf')\n"
		"provision(logging.getLogger(), system_session(), smbconf=FOLDER + '/smb.conf', "
		"lp=lp,\n"
		"          realm='" REALM "', domain='" DEMO_FILES_DOMAIN
		"', hostname='dc1', hostip=ADDRESS,\n"
		"          adminpass=samba.generate_random_password(32, 32),\n"
		"          serverrole='active directory domain controller', dns_backend='NONE',\n"
		"          dom_for_fun_level=4, skip_sysvolacl=True, batch_mode=True)\n"
		"with open(FOLDER + '/people.ldif', encoding='ascii') as people:\n"
		"    SamDB(session_info=system_session(), lp=lp).add_ldif(people.read())\n",
		directory->options.files->folder, directory->host);
}

/* As the directory wants to be told of it: in quotes, UTF-16, and in LDIF by base64. Ours are
 * ASCII.
 */
static void print_password(struct buffer *out, const char *password)
{
	unsigned char wide[2 * (PASSWORD_MAXIMUM + 2)] = {0};
	char text[4 * sizeof(wide) / 3 + 4];
	size_t length = strlen(password);

	if (length > PASSWORD_MAXIMUM)
		length = PASSWORD_MAXIMUM;
	wide[0] = wide[2 * (length + 1)] = '"';
	for (size_t i = 0; i < length; i++)
		wide[2 * (i + 1)] = (unsigned char)password[i];
	EVP_EncodeBlock((unsigned char *)text, wide, (int)(2 * (length + 2)));
	buffer_print(out, "unicodePwd:: %s\n", text);
	secret_wipe(wide, sizeof(wide));
	secret_wipe(text, sizeof(text));
}

static void print_people(const struct demo_directory *directory, struct buffer *out)
{
	buffer_print(out,
		"# The account of the broker and the agent, which searches for users.\n"
		"dn: CN=fairlead," USERS "\n"
		"objectClass: user\n"
		"sAMAccountName: fairlead\n"
		"userAccountControl: 66048\n");
	print_password(out, directory->secret);
	buffer_print(out,
		"\ndn: CN=Demo User," USERS "\n"
		"objectClass: user\n"
		"sAMAccountName: " DEMO_FILES_USER "\n"
		"userPrincipalName: " DEMO_FILES_USER "@demo.test\n"
		"userAccountControl: 66048\n");
	print_password(out, directory->options.files->password);
	buffer_print(out,
		"\ndn: CN=staff," USERS "\n"
		"objectClass: group\n"
		"sAMAccountName: staff\n"
		"member: CN=Demo User," USERS "\n");
}

static int write_one(struct demo_directory *directory, const char *name,
	void (*print)(const struct demo_directory *directory, struct buffer *out))
{
	struct buffer text;
	int error;

	buffer_init(&text, DEMO_DIRECTORY_TEXT_MAXIMUM);
	print(directory, &text);
	error = demo_directory_write(directory, name, &text);
	buffer_free(&text);
	return error;
}

static int write_files(struct demo_directory *directory)
{
	int error = 0;

	/* It goes into a Python text. */
	if (strpbrk(directory->options.files->folder, "'\\") != NULL)
		return ERROR_INPUT;
	for (size_t i = 0; error == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		error = demo_directory_folder(directory, folders[i]);
	if (error == 0)
		error = write_one(directory, "smb.conf", print_server);
	if (error == 0)
		error = write_one(directory, "people.ldif", print_people);
	if (error == 0)
		error = write_one(directory, "provision.py", print_provision);
	return error;
}

static void fill(struct demo_directory *directory, const char **arguments)
{
	(void)demo_directory_path(directory, "provision.py", directory->arguments[0]);
	*arguments++ = "python3";
	*arguments++ = "-B";
	*arguments++ = directory->arguments[0];
	*arguments = NULL;
}

static void serve(struct demo_directory *directory, const char **arguments)
{
	snprintf(directory->arguments[0], sizeof(directory->arguments[0]),
		"--configfile=%s/smb.conf", directory->options.files->folder);
	*arguments++ = "samba";
	*arguments++ = "--foreground";
	*arguments++ = "--no-process-group";
	*arguments++ = "--debug-stdout";
	*arguments++ = "-M"; /* one process, that ends as one */
	*arguments++ = "single";
	*arguments++ = directory->arguments[0];
	*arguments = NULL;
}

static void print_config(const struct demo_directory *directory, struct buffer *out)
{
	buffer_print(out,
		"domains:\n"
		"  - " DEMO_FILES_DOMAIN "\n"
		"# Users, their passwords and their groups are in Active Directory; there is no "
		"list of\n"
		"# users in this file.\n"
		"directories:\n"
		"  - name: demo\n"
		"    kind: active-directory\n"
		"    # What users write in front of or behind their names.\n"
		"    domains: [" DEMO_FILES_DOMAIN ", demo.test]\n"
		"    # Several domain controllers are asked in this order.\n"
		"    servers: ['ldaps://%s']\n"
		"    # Who has signed their certificates.\n"
		"    ca: ca.pem\n"
		"    base: DC=demo,DC=test\n"
		"    # An account that may search. Its password stands in a file that only the\n"
		"    # program can read.\n"
		"    bind-dn: CN=fairlead," USERS "\n"
		"    bind-password-file: directory.secret\n",
		directory->host);
}

const struct demo_directory_kind demo_directory_ad = {
	.name = "samba",
	.needs = needs,
	.socket = SOCK_STREAM,
	.fixed_ports = true,
	.write = write_files,
	.fill = fill,
	.serve = serve,
	.config = print_config,
};
