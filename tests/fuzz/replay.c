/*
 * replay.c - runs one fuzz target over files and folders of inputs, without
 * a fuzzer: what once failed must not fail again, with any compiler.
 *
 * Every input is also given cut short at every length, because a message
 * that ends early is what a network delivers.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAXIMUM (1024 * 1024)
#define CUTS_MAXIMUM 512 /* of one input; longer ones are cut in wider steps */

static size_t runs;

/* A copy of exactly that size, so that a sanitizer sees a read past its end. */
static void run_exact(const unsigned char *bytes, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);

	if (copy == NULL) {
		fprintf(stderr, "replay: out of memory\n");
		exit(2);
	}
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	runs++;
}

static bool run_file(const char *path)
{
	unsigned char *bytes = malloc(INPUT_MAXIMUM);
	FILE *file = fopen(path, "rb");
	bool good = false;

	if (bytes == NULL || file == NULL) {
		perror(path);
		goto out;
	}
	size_t size = fread(bytes, 1, INPUT_MAXIMUM, file);
	if (ferror(file) || !feof(file)) {
		fprintf(stderr, "%s: cannot be read, or longer than %d bytes\n", path,
			INPUT_MAXIMUM);
		goto out;
	}
	size_t step = size / CUTS_MAXIMUM + 1;
	for (size_t cut = 0; cut < size; cut += step)
		run_exact(bytes, cut);
	run_exact(bytes, size);
	good = true;
out:
	if (file != NULL)
		fclose(file);
	free(bytes);
	return good;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool run_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, not_hidden, alphasort);
	bool good = count > 0;

	if (count < 0)
		perror(path);
	else if (count == 0)
		fprintf(stderr, "%s: no inputs\n", path);
	for (int i = 0; i < count; i++) {
		char name[4096];
		int length = snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (length < 0 || (size_t)length >= sizeof(name) || !run_file(name))
			good = false;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return good;
}

int main(int argc, char **argv)
{
	bool good = argc > 1;

	for (int i = 1; i < argc; i++) {
		struct stat status;
		if (stat(argv[i], &status) != 0) {
			perror(argv[i]);
			good = false;
		} else if (S_ISDIR(status.st_mode)) {
			good = run_folder(argv[i]) && good;
		} else {
			good = run_file(argv[i]) && good;
		}
	}
	printf("%zu runs\n", runs);
	return good ? 0 : 1;
}
