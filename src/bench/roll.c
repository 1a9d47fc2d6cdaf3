#include "bench/roll.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

struct roll {
	size_t count, room;
	char **lines; /* up to the tab the name, behind it the password */
};

static int add(struct roll *roll, const char *line)
{
	if (roll->count == ROLL_NAMES_MAXIMUM)
		return ERROR_INPUT;
	if (roll->count == roll->room) {
		size_t room = roll->room > 0 ? 2 * roll->room : 64;
		char **lines = realloc(roll->lines, room * sizeof(*lines));

		if (lines == NULL)
			return ERROR_MEMORY;
		roll->lines = lines;
		roll->room = room;
	}
	/* With one byte more, so that there is an end behind the name's end, too. */
	roll->lines[roll->count] = calloc(1, strlen(line) + 2);
	if (roll->lines[roll->count] == NULL)
		return ERROR_MEMORY;
	strcpy(roll->lines[roll->count], line);
	roll->lines[roll->count++][strcspn(line, "\t")] = '\0';
	return 0;
}

static int read_names(struct roll *roll, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	int error = 0;

	while (error == 0 && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0' && line[0] != '\t')
			error = add(roll, line);
	}
	if (error == 0 && ferror(file))
		error = ERROR_SYSTEM;
	if (line != NULL)
		secret_wipe(line, size);
	free(line);
	return error;
}

int roll_read(const char *path, struct roll **ret_roll, char why[ROLL_WHY_SIZE])
{
	struct roll *roll = calloc(1, sizeof(*roll));
	FILE *file = fopen(path, "re");
	int error = ERROR_MEMORY;

	snprintf(why, ROLL_WHY_SIZE, "out of memory");
	if (file == NULL) {
		snprintf(why, ROLL_WHY_SIZE, "%.100s cannot be read", path);
		error = ERROR_SYSTEM;
	} else if (roll != NULL) {
		error = read_names(roll, file);
		if (error == ERROR_SYSTEM)
			snprintf(why, ROLL_WHY_SIZE, "%.100s cannot be read", path);
		else if (error == ERROR_INPUT)
			snprintf(why, ROLL_WHY_SIZE, "%.100s holds too many names", path);
	}
	if (error == 0 && roll->count == 0) {
		snprintf(why, ROLL_WHY_SIZE, "%.100s holds no name", path);
		error = ERROR_INPUT;
	}
	if (file != NULL)
		fclose(file);
	if (error != 0)
		roll_free(roll);
	else
		*ret_roll = roll;
	return error;
}

void roll_free(struct roll *roll)
{
	if (roll == NULL)
		return;
	for (size_t i = 0; i < roll->count; i++) {
		char *password = roll->lines[i] + strlen(roll->lines[i]) + 1;

		secret_wipe(password, strlen(password));
		free(roll->lines[i]);
	}
	free(roll->lines);
	free(roll);
}

size_t roll_count(const struct roll *roll)
{
	return roll->count;
}

const char *roll_name(const struct roll *roll, size_t turn)
{
	return roll->lines[turn % roll->count];
}

const char *roll_password(const struct roll *roll, size_t turn)
{
	const char *name = roll_name(roll, turn), *password = name + strlen(name) + 1;

	return password[0] != '\0' ? password : NULL;
}

int roll_read_password(const char *path, char *password, size_t size, char why[ROLL_WHY_SIZE])
{
	FILE *file = fopen(path, "re");
	bool good;

	if (file == NULL) {
		snprintf(why, ROLL_WHY_SIZE, "%.100s cannot be read", path);
		return ERROR_SYSTEM;
	}
	good = fgets(password, (int)size, file) != NULL;
	fclose(file);
	if (good)
		password[strcspn(password, "\r\n")] = '\0';
	if (good && password[0] != '\0')
		return 0;
	snprintf(why, ROLL_WHY_SIZE, "%.100s holds no password in its first line", path);
	return ERROR_INPUT;
}
