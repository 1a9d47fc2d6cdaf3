#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/license_path.h"

static void test_paths(void **state)
{
	static const struct {
		const char *text, *address, *host;
	} good[] = {
		{"7070@license-server", "license-server:7070", "license-server"},
		{"2589@10.0.0.7", "10.0.0.7:2589", "10.0.0.7"},
		{"7070@[2001:db8::1]", "[2001:db8::1]:7070", "2001:db8::1"},
		{"7070@2001:db8::1", "[2001:db8::1]:7070", "2001:db8::1"},
		{"http://host:7070/request", "host:7070", "host"},
		{"HTTPS://Host.example:8443/instances/1/request", "Host.example:8443",
			"Host.example"},
		{"https://host/request", "host:7070", "host"},
		{"https://[::1]:7/x", "[::1]:7", "::1"},
		{"https://[::1]", "[::1]:7070", "::1"},
		{"host", "host:7070", "host"},
		{"host:1", "host:1", "host"},
		{"::1", "[::1]:7070", "::1"},
	};
	static const char *const bad[] = {"", "@", "7070@", "@host", "0@host", "65536@host",
		"a@host", "-1@host", "host:", "host:x", "host:0", ":7070", "http://",
		"https:///request", "http://user@host/", "7070@a,7070@b", "7070@a b", "[::1",
		"[]:1", "[host]:1", "ho\nst", "7070@host:7071", "ftp://host/"};
	struct license_path path;
	char longest[400];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(license_path_read(good[i].text, &path), 0);
		assert_string_equal(path.address, good[i].address);
		assert_string_equal(path.host, good[i].host);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		path.port = 12;
		if (license_path_read(bad[i], &path) != ERROR_INPUT)
			fail_msg("'%s' was taken for %s", bad[i], path.address);
		assert_int_equal(path.port, 12);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(license_path_read(longest, &path), ERROR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
