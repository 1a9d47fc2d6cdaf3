/*
 * From a checked configuration to sources, factors and chains.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "service/settings_logon_private.h"

#define PLAN_MAXIMUM (16 * 1024 * 1024) /* bytes */

struct builder {
	struct config *config;
	const struct settings *common;
	const struct settings_users *users;
	const struct settings_logon *logon;
	struct pam_helper *pam;
	const struct clock *clock;
	struct arena *arena;
	struct logon_plan *plan;
	const char **source_names;     /* of plan->sources */
	struct logon_factor **factors; /* of plan->radius */
};

/* --- sources --- */

/* Names of domains, each once. */
struct domains {
	const char **list;
	size_t count;
};

static void domains_add(struct domains *domains, char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t k = 0; k < domains->count; k++)
			found = found || strcasecmp(domains->list[k], list[i]) == 0;
		if (!found)
			domains->list[domains->count++] = list[i];
	}
}

/* What users of a source may name: its own domains, else the offered ones; and whatever a chain
 * calls by this source's name, which would lead nowhere otherwise. */
static int source_domains(const struct builder *builder, const char *source, char *const *own,
	size_t own_count, struct domains *ret_domains)
{
	const struct settings_users *users = builder->users;
	const struct settings_logon *logon = builder->logon;
	struct domains domains = {NULL, 0};
	size_t most = own_count + users->domains_count;

	for (unsigned i = 0; i < logon->chains_count; i++)
		most += logon->chains[i].domains_count;
	domains.list = arena_alloc(builder->arena, (most + 1) * sizeof(*domains.list));
	if (domains.list == NULL)
		return ERROR_MEMORY;
	if (own_count > 0)
		domains_add(&domains, own, own_count);
	else
		domains_add(&domains, users->domains, users->domains_count);
	for (unsigned i = 0; i < logon->chains_count; i++) {
		if (strcmp(logon->chains[i].source, source) == 0)
			domains_add(
				&domains, logon->chains[i].domains, logon->chains[i].domains_count);
	}
	*ret_domains = domains;
	return 0;
}

static void add_source(struct builder *builder, const char *name, struct identity *source)
{
	builder->source_names[builder->plan->source_count] = name;
	builder->plan->sources[builder->plan->source_count++] = source;
}

static int add_users(struct builder *builder)
{
	struct settings_users users = *builder->users;
	struct identity *source;
	struct domains domains;
	int error = source_domains(builder, "users", NULL, 0, &domains);

	if (error != 0)
		return error;
	/* The list is the arena's; the names in it are only read. */
	users.domains = (char **)domains.list;
	users.domains_count = (unsigned)domains.count;
	error = settings_users_identity(&users, &source);
	if (error == 0)
		add_source(builder, "users", source);
	return error;
}

static int add_directory(struct builder *builder, unsigned index)
{
	const struct settings_directory *directory = &builder->logon->directories[index];
	struct identity *source;
	struct domains domains;
	int error = source_domains(
		builder, directory->name, directory->domains, directory->domains_count, &domains);

	if (error == 0)
		error = settings_directory_new(builder->config, builder->common, builder->logon,
			index, domains.list, domains.count, builder->clock, &source);
	if (error == 0)
		add_source(builder, directory->name, source);
	return error;
}

static int add_pam(struct builder *builder)
{
	struct identity_pam_options options = {
		.helper = builder->pam,
		.change_password = builder->logon->pam->change_password,
		.answer_ms = builder->logon->pam->answer_ms,
	};
	struct identity *source;
	struct domains domains;
	int error = source_domains(builder, "pam", NULL, 0, &domains);

	assert(builder->pam != NULL);
	if (error != 0)
		return error;
	options.domains = domains.list;
	options.domain_count = domains.count;
	error = identity_pam_new(&options, builder->clock, &source);
	if (error == 0)
		add_source(builder, "pam", source);
	return error;
}

static int make_sources(struct builder *builder)
{
	const struct settings_logon *logon = builder->logon;
	size_t most = logon->directories_count + 2u;
	int error = 0;

	builder->plan->sources = arena_alloc(builder->arena, most * sizeof(struct identity *));
	builder->source_names = arena_alloc(builder->arena, most * sizeof(const char *));
	if (arena_lacking(builder->arena))
		return ERROR_MEMORY;
	if (builder->users->list_count > 0 || settings_logon_only_users(logon))
		error = add_users(builder);
	for (unsigned i = 0; error == 0 && i < logon->directories_count; i++)
		error = add_directory(builder, i);
	if (error == 0 && logon->pam != NULL)
		error = add_pam(builder);
	return error;
}

/* --- factors --- */

static int add_factor(struct builder *builder, unsigned index)
{
	const struct settings_radius *from = &builder->logon->radius[index];
	struct logon_factor *factor = arena_alloc(builder->arena, sizeof(*factor));
	int error;

	if (factor == NULL)
		return ERROR_MEMORY;
	factor->name = arena_text(builder->arena, from->name);
	factor->first = from->first;
	factor->text = from->text != NULL ? arena_text(builder->arena, from->text) : NULL;
	factor->prompt = from->prompt != NULL ? arena_text(builder->arena, from->prompt) : NULL;
	if (arena_lacking(builder->arena))
		return ERROR_MEMORY;
	error = settings_radius_new(
		builder->config, builder->common, builder->logon, index, &factor->radius);
	if (error != 0)
		return error;
	builder->plan->radius[builder->plan->radius_count++] = factor->radius;
	builder->factors[index] = factor;
	return 0;
}

static int make_factors(struct builder *builder)
{
	unsigned count = builder->logon->radius_count;
	int error = 0;

	builder->plan->radius = arena_alloc(builder->arena, (count + 1u) * sizeof(struct radius *));
	builder->factors = arena_alloc(builder->arena, (count + 1u) * sizeof(*builder->factors));
	if (arena_lacking(builder->arena))
		return ERROR_MEMORY;
	for (unsigned i = 0; error == 0 && i < count; i++)
		error = add_factor(builder, i);
	return error;
}

/* --- chains --- */

static struct identity *find_source(const struct builder *builder, const char *name)
{
	size_t i = 0;

	while (strcmp(builder->source_names[i], name) != 0)
		i++; /* the check has seen that there is one */
	return builder->plan->sources[i];
}

static struct logon_factor *find_factor(const struct builder *builder, const char *name)
{
	unsigned i = 0;

	while (strcmp(builder->logon->radius[i].name, name) != 0)
		i++; /* the check has seen that there is one */
	return builder->factors[i];
}

static int make_chain(struct builder *builder, unsigned index, struct logon_chain *chain)
{
	const struct settings_chain *from = &builder->logon->chains[index];
	struct logon_factor **factors = arena_alloc(
		builder->arena, (from->factors_count + 1u) * sizeof(struct logon_factor *));
	char **domains;

	if (factors == NULL ||
		settings_copy_list(builder->arena, from->domains, from->domains_count, &domains) !=
			0)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->factors_count; i++)
		factors[i] = find_factor(builder, from->factors[i]);
	chain->domains = (const char *const *)domains;
	chain->domain_count = from->domains_count;
	chain->source = find_source(builder, from->source);
	chain->factors = factors;
	chain->factor_count = from->factors_count;
	return 0;
}

static int make_chains(struct builder *builder)
{
	unsigned count = builder->logon->chains_count;
	struct logon_chain *chains = arena_alloc(builder->arena, (count + 1u) * sizeof(*chains));
	int error = 0;

	if (chains == NULL)
		return ERROR_MEMORY;
	for (unsigned i = 0; error == 0 && i < count; i++)
		error = make_chain(builder, i, &chains[i]);
	if (count == 0) {
		chains[0] = (struct logon_chain){
			.source = builder->plan->sources[0],
			.factors = builder->factors,
			.factor_count = builder->plan->radius_count,
		};
	}
	builder->plan->chains = chains;
	builder->plan->chain_count = count > 0 ? count : 1;
	return error;
}

static int copy_domains(struct builder *builder)
{
	char **domains;
	int error = settings_copy_list(
		builder->arena, builder->users->domains, builder->users->domains_count, &domains);

	if (error != 0)
		return error;
	builder->plan->domains = (const char *const *)domains;
	builder->plan->domain_count = builder->users->domains_count;
	return 0;
}

static int make_disclaimer(struct builder *builder)
{
	const struct settings_disclaimer *from = builder->logon->disclaimer;
	struct logon_disclaimer *disclaimer = &builder->plan->disclaimer;
	struct config_fault fault;
	char *text;
	int error;

	if (from == NULL)
		return 0;
	error = settings_logon_disclaimer(builder->config, &fault, from, &text);
	if (error != 0)
		return error;
	disclaimer->text = arena_text(builder->arena, text);
	free(text);
	if (from->title != NULL)
		disclaimer->title = arena_text(builder->arena, from->title);
	disclaimer->required = from->required;
	return arena_lacking(builder->arena) ? ERROR_MEMORY : 0;
}

int settings_logon_plan(struct config *config, const struct settings *common,
	const struct settings_users *users, const struct settings_logon *logon,
	struct pam_helper *pam, const struct clock *clock, struct logon_plan **ret_plan)
{
	struct builder builder = {
		.config = config,
		.common = common,
		.users = users,
		.logon = logon,
		.pam = pam,
		.clock = clock,
		.arena = arena_new(PLAN_MAXIMUM),
	};
	int error;

	if (builder.arena != NULL)
		builder.plan = arena_alloc(builder.arena, sizeof(*builder.plan));
	if (builder.plan == NULL) {
		arena_free(builder.arena);
		return ERROR_MEMORY;
	}
	builder.plan->arena = builder.arena;
	error = copy_domains(&builder);
	if (error == 0)
		error = make_sources(&builder);
	if (error == 0)
		error = make_factors(&builder);
	if (error == 0)
		error = make_chains(&builder);
	if (error == 0)
		error = make_disclaimer(&builder);
	if (error != 0) {
		logon_plan_free(builder.plan);
		return error;
	}
	*ret_plan = builder.plan;
	return 0;
}
