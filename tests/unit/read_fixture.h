/*
 * read_fixture.h - a small book of two rules, made by hand.
 */
#ifndef FAIRLEAD_TESTS_READ_FIXTURE_H
#define FAIRLEAD_TESTS_READ_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "health/rule.h"

enum {                  /* patterns */
	ALPHA_STARTING, /* AGENT: "Starting session {name}" */
	ALPHA_ANY,      /* "Starting" */
	ALPHA_NEAR,     /* SCNET: "accepting from {peer}." */
	ALPHA_RTT,      /* numbers only */
	ALPHA_RESULT,   /* authenticate-resp/result-id: "AUTH_{result}" */
	ALPHA_BYE,      /* bye-resp begins */
	BETA_STARTING,  /* "Starting session {name}" */
	BETA_LICENSE,   /* a line and a number */
	BETA_CONTINUED, /* AGENT: "continued with {what}" */
	PATTERNS
};

struct read_fixture {
	struct rule_pattern patterns[PATTERNS];
	struct rule_measure left;
	struct rule_measure alpha_measures[2];
	struct rule alpha, beta;
	const struct rule *rules[2];
	const struct rule_pattern *by_number[PATTERNS];
	struct rule_book book;
};

static inline struct template *fixture_template(const char *text, bool anywhere)
{
	struct template *template = NULL;
	char reason[TEMPLATE_REASON_SIZE];

	return template_new(text, anywhere, &template, reason) == 0 ? template : NULL;
}

static inline void fixture_pattern(
	struct read_fixture *fixture, int number, const char *id, const char *text, bool sighted)
{
	struct rule_pattern *pattern = &fixture->patterns[number];

	pattern->number = (uint16_t)number;
	pattern->id = id;
	pattern->rule = number < BETA_STARTING ? &fixture->alpha : &fixture->beta;
	pattern->template = text == NULL ? NULL : fixture_template(text, false);
	pattern->sighted = sighted;
	pattern->measured = !sighted;
	fixture->by_number[number] = pattern;
}

static inline void fixture_begin(struct read_fixture *fixture)
{
	static const char *agent[] = {"AGENT", "SERVER"};
	static const char *scnet[] = {"SCNET"};

	memset(fixture, 0, sizeof(*fixture));
	fixture_pattern(fixture, ALPHA_STARTING, "starting", "Starting session {name}", true);
	fixture_pattern(fixture, ALPHA_ANY, "any", "Starting", true);
	fixture_pattern(fixture, ALPHA_NEAR, "near", "accepting from {peer:address}:", true);
	fixture_pattern(fixture, ALPHA_RTT, "rtt",
		"round trip time (ms) = {mean:number}, variance = {jitter:number}", false);
	fixture_pattern(fixture, ALPHA_RESULT, "result", "AUTH_{result}", true);
	fixture_pattern(fixture, ALPHA_BYE, "bye", NULL, true);
	fixture_pattern(fixture, BETA_STARTING, "starting", "Starting session {name}", true);
	fixture_pattern(
		fixture, BETA_LICENSE, "license", "License remaining: {left:number} days", true);
	fixture_pattern(fixture, BETA_CONTINUED, "continued", "continued with {what}", true);
	fixture->patterns[ALPHA_STARTING].components = agent;
	fixture->patterns[ALPHA_STARTING].component_count = 2;
	fixture->patterns[ALPHA_NEAR].components = scnet;
	fixture->patterns[ALPHA_NEAR].component_count = 1;
	fixture->patterns[ALPHA_NEAR].near = RULE_NEAR_YES;
	fixture->patterns[ALPHA_RESULT].xml_element = "result-id";
	fixture->patterns[ALPHA_RESULT].xml_message = "authenticate-resp";
	fixture->patterns[ALPHA_BYE].xml_element = "bye-resp";
	fixture->patterns[BETA_LICENSE].measured = true;
	fixture->patterns[BETA_CONTINUED].components = agent;
	fixture->patterns[BETA_CONTINUED].component_count = 2;
	fixture->alpha_measures[0] = (struct rule_measure){
		.id = "rtt",
		.pattern = &fixture->patterns[ALPHA_RTT],
		.plot = true,
		.has_warning = true,
		.has_fail = true,
		.warning = 100,
		.fail = 250,
	};
	fixture->alpha_measures[1] = (struct rule_measure){
		.id = "jitter",
		.pattern = &fixture->patterns[ALPHA_RTT],
		.value = 1,
	};
	fixture->left = (struct rule_measure){
		.id = "left",
		.pattern = &fixture->patterns[BETA_LICENSE],
		.below = true,
		.has_warning = true,
		.warning = 30,
	};
	fixture->alpha = (struct rule){
		.id = "alpha",
		.patterns = &fixture->patterns[0],
		.pattern_count = BETA_STARTING,
		.measures = fixture->alpha_measures,
		.measure_count = 2,
	};
	fixture->beta = (struct rule){
		.id = "beta",
		.patterns = &fixture->patterns[BETA_STARTING],
		.pattern_count = PATTERNS - BETA_STARTING,
		.measures = &fixture->left,
		.measure_count = 1,
	};
	fixture->rules[0] = &fixture->alpha;
	fixture->rules[1] = &fixture->beta;
	fixture->book = (struct rule_book){
		.rules = fixture->rules,
		.rule_count = 2,
		.patterns = fixture->by_number,
		.pattern_count = PATTERNS,
	};
}

static inline void fixture_end(struct read_fixture *fixture)
{
	for (size_t i = 0; i < PATTERNS; i++)
		template_free((struct template *)(uintptr_t)fixture->patterns[i].template);
}

#endif
