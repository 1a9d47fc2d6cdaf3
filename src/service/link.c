#include "service/link.h"

#include "protocol/frame.h"

static const struct {
	unsigned number;
	const char *vendor;
	const char *meaning;
} causes[] = {
#define CAUSE(name, number, vendor, meaning) {number, vendor, meaning},
#include "protocol/causes.def"
#undef CAUSE
};

/* What the third digit of a number says. */
static const struct {
	unsigned digit;
	const char *name;
	const char *meaning;
} groups[] = {
	{0x1, "HOST_BROKER", "an unknown cause at the broker or the host"},
	{0x2, "HOST_DRIVER", "an unknown cause in a driver of the host"},
	{0x3, "DEVICE", "an unknown cause at the client"},
	{0x4, "DEVICE_INTERNAL", "an unknown cause inside the client"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char *link_cause_name(unsigned cause)
{
	for (size_t i = 0; i < COUNT(causes); i++) {
		if (causes[i].number == cause)
			return causes[i].vendor;
	}
	for (size_t i = 0; i < COUNT(groups); i++) {
		if (groups[i].digit == cause >> 8)
			return groups[i].name;
	}
	return "UNKNOWN";
}

const char *link_cause_meaning(unsigned cause)
{
	for (size_t i = 0; i < COUNT(causes); i++) {
		if (causes[i].number == cause)
			return causes[i].meaning;
	}
	for (size_t i = 0; i < COUNT(groups); i++) {
		if (groups[i].digit == cause >> 8)
			return groups[i].meaning;
	}
	return "an unknown cause";
}

const char *link_refusal_text(unsigned refusal)
{
	switch (refusal) {
#define REFUSAL(name, number, wire, meaning)                                                       \
	case number:                                                                               \
		return meaning;
#include "protocol/frames.def"
	default:
		return "refused for a reason that is not known here";
	}
}
