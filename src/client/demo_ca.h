/*
 * demo_ca.h - a throw-away certification authority, and certificates of it.
 */
#ifndef FAIRLEAD_CLIENT_DEMO_CA_H
#define FAIRLEAD_CLIENT_DEMO_CA_H

#define DEMO_CA_HOST "workstation.demo.test" /* what the agent is called; .test is RFC 6761's */
#define DEMO_CA_DAYS 30

struct demo_ca;

/* Makes a CA (ECDSA P-256) and writes FOLDER/ca.pem; its key is never written. 0, ERROR_CRYPTO,
 * ERROR_SYSTEM (errno says why), ERROR_MEMORY. */
int demo_ca_new(const char *folder, struct demo_ca **ret_ca);
void demo_ca_free(struct demo_ca *ca);

/* Writes FOLDER/NAME-ecdsa.pem, NAME-ecdsa.key, NAME-rsa.pem and NAME-rsa.key (keys for the owner
 * only), good for localhost, 127.0.0.1, ::1, DEMO_CA_HOST, and `address` (numeric; NULL: none). As
 * demo_ca_new. */
int demo_ca_issue(struct demo_ca *ca, const char *name, const char *address);

#endif
