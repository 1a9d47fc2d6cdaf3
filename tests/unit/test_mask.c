#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/mask.h"
#include "health/mask_private.h"
#include "health/render.h"
#include "report_sample.h"

static struct report *report;
static struct mask *mask;

static int set_up(void **state)
{
	(void)state;
	report = report_sample_new();
	mask = mask_new(report);
	return mask != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mask_free(mask);
	report_sample_free(report);
	return 0;
}

static void assert_masked(const char *text, const char *expected)
{
	const char *once = mask_text(mask, text);
	char *copy;

	assert_string_equal(once, expected);
	/* The same again; and a masked text stays. */
	assert_string_equal(mask_text(mask, text), expected);
	copy = strdup(once);
	assert_string_equal(mask_text(mask, copy), expected);
	free(copy);
}

static void assert_stays(const char *text)
{
	assert_masked(text, text);
}

/* ---- the sample ---- */

typedef int drawer(FILE *stream);

static int draw_text(FILE *stream)
{
	static const struct render_text how = {.columns = 100, .utf8 = true};

	return render_text(report, mask, &how, stream);
}

static int draw_narrow(FILE *stream)
{
	static const struct render_text how = {.columns = 40, .utf8 = true, .colour = true};

	return render_text(report, mask, &how, stream);
}

static int draw_json(FILE *stream)
{
	return render_json(report, mask, stream);
}

static int draw_html(FILE *stream)
{
	return render_html(report, mask, stream);
}

static char *drawn(drawer *draw)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	assert_int_equal(draw(stream), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void no_output_names_anybody(void **state)
{
	static drawer *const drawers[] = {draw_text, draw_narrow, draw_json, draw_html};

	(void)state;
	for (size_t i = 0; i < sizeof(drawers) / sizeof(drawers[0]); i++) {
		char *text = drawn(drawers[i]);

		mask_fold(text, strlen(text));
		for (size_t j = 0; report_sample_names[j] != NULL; j++) {
			if (strstr(text, report_sample_names[j]) != NULL)
				fail_msg("output %zu names %s:\n%s", i, report_sample_names[j],
					text);
		}
		assert_non_null(strstr(text, "user-2"));
		assert_non_null(strstr(text, "host-2"));
		assert_non_null(strstr(text, "192.0.2.2"));
		free(text);
	}
}

/* The sample names them all where nothing is masked: the test above can fail. */
static void unmasked_output_names_them(void **state)
{
	struct mask *kept = mask;
	char *text;

	(void)state;
	mask = NULL;
	text = drawn(draw_json);
	mask = kept;
	mask_fold(text, strlen(text));
	for (size_t j = 0; report_sample_names[j] != NULL; j++) {
		if (strchr(report_sample_names[j], '-') != NULL &&
			strlen(report_sample_names[j]) == strlen("5e-31-9a-04-7c-d2"))
			continue; /* the same address is there in another form */
		if (strstr(text, report_sample_names[j]) == NULL)
			fail_msg("nothing names %s", report_sample_names[j]);
	}
	free(text);
}

/* The order of the report's texts decides, not what was drawn first. */
static void outputs_agree(void **state)
{
	struct mask *other = mask_new(report);
	char *html = drawn(draw_html);
	char *before = drawn(draw_json);
	struct mask *kept = mask;
	char *after;

	(void)state;
	mask = other;
	after = drawn(draw_json);
	mask = kept;
	assert_string_equal(before, after);
	free(html);
	free(before);
	free(after);
	mask_free(other);
}

/* ---- names ---- */

static void names_are_whole_words_in_any_case(void **state)
{
	(void)state;
	assert_masked("Hello zoë.åkesson!", "Hello user-2!");
	assert_masked("Hello ZOË.ÅKESSON!", "Hello user-2!");
	assert_stays("Hello xzoë.åkesson");
	assert_stays("Hello zoë.åkessons");
	assert_masked("NORTHGATE\\zoë.åkesson", "domain-1\\user-2");
	assert_masked("northgate\\Mia.Lund,", "domain-1\\user-1,");
	assert_masked("ようこそ佐藤健さん", "ようこそuser-3さん");
	assert_masked("/var/log/server.mia.lund.log:", "/var/log/server.user-1.log:");
}

static void a_host_is_the_same_with_its_domain(void **state)
{
	(void)state;
	assert_masked("render-07", "host-2");
	assert_masked("RENDER-07.Northgate.Example:443", "host-2.domain-1:443");
	assert_masked("northgate.example", "domain-1");
	/* A host that no line told of, below a domain that is known. */
	assert_masked("to ws-99.northgate.example.", "to host-4.domain-1.");
	assert_masked("https://ws-99.northgate.example/pcoip", "https://host-4.domain-1/pcoip");
}

static void of_two_names_the_longer_one_is_meant(void **state)
{
	(void)state;
	assert_masked("ws-0142 ws-01 ws-014", "host-1 host-3 ws-014");
	assert_masked("client-ws-0142.log", "client-host-1.log");
	assert_masked("pcoip_ws-01_2031.txt", "pcoip_host-3_2031.txt");
}

static void short_and_common_names_need_a_sign(void **state)
{
	(void)state;
	mask_learn_value(&mask->names, MASK_USER, "al", 2);
	mask_learn_value(&mask->names, MASK_USER, "server", 6);
	mask_learn_value(&mask->names, MASK_USER, "1000", 4);
	assert_stays("al dente, server 1000 ms");
	assert_masked("user al logged on", "user user-4 logged on");
	assert_masked("al", "user-4");
	assert_masked("'al'", "'user-4'");
	assert_masked("username: server", "username: user-5");
	assert_masked("NORTHGATE\\server", "domain-1\\user-5");
	assert_masked("<username>1000</username>", "<username>user-6</username>");
}

static void forms_that_show_a_name(void **state)
{
	(void)state;
	assert_masked("mail to kim.berg@other.example now", "mail to user-4@domain-2 now");
	assert_masked("then kim.berg at other.example", "then user-4 at domain-2");
	assert_masked("hostname=kim.berg@other.example", "hostname=user-4@domain-2");
	assert_masked("ACME\\jo.doe came", "domain-3\\user-5 came");
	assert_masked("<hostname>Desk-Nine</hostname>", "<hostname>host-4</hostname>");
	assert_masked("C:\\Users\\ida.holm\\AppData", "C:\\Users\\user-6\\AppData");
	assert_masked("/home/ida.holm/x", "/home/user-6/x");
	assert_stays("C:\\ProgramData\\Teradici\\PCoIPAgent\\logs");
	assert_stays("HKLM\\SOFTWARE\\Policies\\Teradici");
	assert_stays("logs\\agent.log");
	assert_stays("C:\\Program Files\\PCoIP Agent\\list-licenses.ps1");
}

/* A name may be a part of what stands for one. */
static void what_stands_for_a_name_is_never_taken_apart(void **state)
{
	(void)state;
	mask_learn_value(&mask->names, MASK_USER, "user", 4);
	mask_learn_value(&mask->names, MASK_HOST, "host", 4);
	assert_masked("'mia.lund' on 'render-07'", "'user-1' on 'host-2'");
	assert_masked("user user", "user user-4");
}

static void vendors_services_stay(void **state)
{
	static const char url[] =
		"https://teradici.compliance.flexnetoperations.com/instances/X1/request";

	(void)state;
	mask_learn_value(&mask->names, MASK_HOST, url, strlen(url));
	assert_stays(url);
	mask_learn_value(&mask->names, MASK_HOST, "localhost", 9);
	assert_stays("localhost");
}

/* ---- addresses ---- */

static void addresses_keep_their_ports(void **state)
{
	(void)state;
	assert_masked("198.51.100.23:4172, 198.51.100.230.", "192.0.2.1:4172, 192.0.2.2.");
	assert_masked("[2001:DB8:4172:0::17]:51022", "[2001:db8::1]:51022");
	assert_masked("::ffff:198.51.100.23", "::ffff:192.0.2.1");
	assert_masked("fe80::1234%eth0", "2001:db8::2%eth0");
	assert_masked(
		"node:2001:db8:4172::17, :2001:db8:4172::17", "node:2001:db8::1, :2001:db8::1");
	assert_masked("10.0.0.0/24", "192.0.2.3/24");
	assert_stays("0.0.0.0:4172 127.0.0.1 ::1 [::]:443 255.255.255.0");
	assert_stays("at 12:34:56 and 1.2.3 or 1.2.3.4.5 or 300.1.2.3");
	assert_stays("198.51.100.23x 5e:31:9a:04:7c:d2x 2001:db8:4172::17x");
	assert_stays("version 2.14.0.1");
	assert_stays("std::string a::b");
}

static void real_addresses_that_look_like_masks(void **state)
{
	struct mask *second;
	struct mask *first = mask;
	const char *notes[] = {"192.0.2.1 and 198.51.100.77", "host user-1 and 02-00-00-00-00-01"};

	(void)state;
	report->notes = notes;
	report->note_count = 2;
	second = mask_new(report);
	mask = second;
	/* 192.0.2.1 stands for nobody, because somebody has it. */
	assert_masked("198.51.100.23", "192.0.2.2");
	assert_masked("192.0.2.1", "192.0.2.4");
	assert_masked("5e:31:9a:04:7c:d2", "02:00:00:00:00:02");
	assert_masked("02-00-00-00-00-01", "02-00-00-00-00-03");
	mask = first;
	mask_free(second);
}

/* A capture for a host may hold an address, with anything behind it: its parts are no names. */
static void addresses_are_not_taken_for_hosts(void **state)
{
	static const char *const values[] = {"203.0.113.80", "203.0.113.80:4172",
		"203.0.113.80, 00-00-00-00-00-00", "203.0.113.80 (4172)", "[2001:db8::80]:4172",
		"fe80::80%eth0", "tool 21.03.4"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		mask_learn_value(&mask->names, MASK_HOST, values[i], strlen(values[i]));
	assert_stays("203");
	assert_stays("80");
	assert_stays("113.80");
	assert_stays("4");
	assert_stays("03.4");
}

static void hardware_addresses_in_every_form(void **state)
{
	(void)state;
	assert_masked("5E-31-9A-04-7C-D2", "02-00-00-00-00-01");
	assert_masked("5e:31:9a:04:7c:d2", "02:00:00:00:00:01");
	assert_masked("5e31.9a04.7cd2", "0200.0000.0001");
	assert_masked("id 5E319A047CD2", "id 020000000001");
	assert_stays("job 123456789012");
	assert_stays("00:00:00:00:00:00 ff:ff:ff:ff:ff:ff");
	assert_stays("sha1 aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd");
}

static void session_ids_still_join(void **state)
{
	(void)state;
	assert_masked("D5E9FF80-a4db-1044-a77f-5e319a047cd2 > LVL:2",
		"D5E9FF80-a4db-1044-a77f-020000000001 > LVL:2");
	assert_stays("66244680-a4d4-1044-a77f-000000000000");
	assert_stays("00000000-0000-0000-0000-000000000000");
	/* A random id holds no address. */
	assert_stays("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
}

/* ---- bounds ---- */

static void eight_results_live_at_once(void **state)
{
	const char *results[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%d mia.lund", i);
		results[i] = mask_text(mask, text);
	}
	for (int i = 0; i < 8; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%d user-1", i);
		assert_string_equal(results[i], text);
	}
}

static void a_text_that_may_be_cut_loses_its_last_word(void **state)
{
	char text[STORE_TEXT_MAXIMUM];
	const char *result;

	(void)state;
	memset(text, 'w', sizeof(text));
	memcpy(text + sizeof(text) - 8, " mia.lu", 8);
	result = mask_text(mask, text);
	assert_null(strstr(result, "mia"));
	assert_non_null(strstr(result, "w ..."));
}

/* Texts made of what starts every kind of search, and nothing else. */
static void hostile_texts_take_linear_time(void **state)
{
	static const char *const parts[] = {"a.", "1.", "::", "1:", "\\", "@", "a@a.", "-",
		"user:", "<username>", "/home/", "ws-", "northgate.example.", "\xe4", "ÿ", "健",
		"a\\"};
	enum { SIZE = 200000 };
	char *text = malloc(SIZE + 32);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t length = 0;

		while (length < SIZE) {
			strcpy(text + length, parts[i]);
			length += strlen(parts[i]);
		}
		assert_non_null(mask_text(mask, text));
	}
	free(text);
}

static void more_addresses_than_a_network_has(void **state)
{
	char text[32];
	char *last;

	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 0xff, i & 0xff);
		assert_memory_not_equal(mask_text(mask, text), "10.", 3);
	}
	last = strdup(mask_text(mask, text));
	assert_memory_equal(last, "198.19.", 7);
	assert_string_equal(mask_text(mask, last), last);
	free(last);
}

/* Rather nothing than a name that slipped through. */
static void too_many_names_mask_everything(void **state)
{
	char text[32];

	(void)state;
	for (unsigned i = 0; i < MASK_NAMES_MAXIMUM; i++) {
		int length = snprintf(text, sizeof(text), "name%u", i);

		mask_learn_value(&mask->names, MASK_USER, text, (size_t)length);
	}
	assert_string_equal(mask_text(mask, "anything"), "(masked)");
}

static void no_mask_changes_nothing(void **state)
{
	static const char text[] = "mia.lund";

	(void)state;
	assert_ptr_equal(mask_text(NULL, text), text);
	assert_string_equal(mask_text(mask, ""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_output_names_anybody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unmasked_output_names_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(outputs_agree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			names_are_whole_words_in_any_case, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_host_is_the_same_with_its_domain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			of_two_names_the_longer_one_is_meant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			short_and_common_names_need_a_sign, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forms_that_show_a_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_stands_for_a_name_is_never_taken_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vendors_services_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses_keep_their_ports, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			real_addresses_that_look_like_masks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			addresses_are_not_taken_for_hosts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			hardware_addresses_in_every_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(session_ids_still_join, set_up, tear_down),
		cmocka_unit_test_setup_teardown(eight_results_live_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_text_that_may_be_cut_loses_its_last_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_texts_take_linear_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			more_addresses_than_a_network_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_names_mask_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_mask_changes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
