/*
 * demo - a made-up school, part by part. Each part has a random series of its own, so that more results, for example, do not
 * change the users.
 *
 * Call all of these outside of a write transaction unless they say otherwise; a failed write sticks to db.
 */
#ifndef OKUL_DEMO_H
#define OKUL_DEMO_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "db.h"
#include "sentence.h"

#define DEMO_BATCH 2000			/* rows a transaction, of most kinds: some tenths of a second */

struct demo_user {
	int64_t pk, created, last_login, stored_login;	/* stored_login: what the row says now */
	bool is_staff, may_learn;	/* may_learn: registered and active */
	enum language language;
};

struct demo {
	const struct conf *conf;
	struct db *db;
	struct arena *batch;		/* lives as long as a batch; cJSON's memory too */
	uint64_t seed;			/* as asked */
	uint64_t chance;		/* state of the series of this part */
	int64_t start, until;		/* the year that is shown */
	int64_t users, results, contacts, courses;	/* how many */
	struct demo_user *user;		/* `users`, oldest first */
	int64_t *learners, learner_count;	/* of them who may learn: places in `user` */
	int64_t staff;			/* the first of `user` */
	int64_t materials, assignments, opened, files;	/* what was made */
};

/* ---- random numbers: the same for the same seed */

void demo_series(struct demo *d, const char *part);
uint64_t demo_bits(struct demo *d);
/* A number in [0, limit). */
int64_t demo_below(struct demo *d, int64_t limit);
/* A number in [0, 1), and one around 0 with deviation 1. */
double demo_real(struct demo *d);
double demo_normal(struct demo *d);
bool demo_happens(struct demo *d, double probability);
#define DEMO_PICK(d, list) ((list)[demo_below((d), COUNT(list))])
/* random_id() for something made at that time. */
void demo_id(struct demo *d, char id[static 25], int64_t time);

/* ---- time: rising times between two, more where schools have more to do */

struct timeline {
	int64_t start, hours, hour, count, next;
	double *sums;			/* of the weights up to each hour */
};

/* `count` times. Free it with timeline_clear(). Ends the process when memory is short. */
void timeline_init(struct timeline *line, struct demo *d, int64_t start, int64_t until, int64_t count);
/* The next of them, not before the one before it. */
int64_t timeline_next(struct timeline *line, struct demo *d);
void timeline_clear(struct timeline *line);

/* A learner who was registered before `time`, more likely a recent one. NULL when there is none. */
struct demo_user *demo_learner(struct demo *d, int64_t time);

/* ---- parts */

extern const struct db_statements demo_results_statements;

/* Runs add(d, context, i) for each i below count, `batch` of them in a transaction. */
must_use enum db_rc demo_batches(struct demo *d, int64_t count, int64_t batch, void (*add)(struct demo *d, void *context, int64_t i),
	void *context);

/* A name that somebody of the language may have, and an address made of it that was not used before. */
struct demo_name { const char *name, *surname; bool female; char address[128], handle[64]; };
void demo_name(struct demo *d, enum language language, struct demo_name *name);
enum language demo_language(struct demo *d);

must_use enum db_rc demo_make_users(struct demo *d);
must_use enum db_rc demo_make_logins(struct demo *d);	/* after all other parts */
must_use enum db_rc demo_make_courses(struct demo *d);
must_use enum db_rc demo_make_settings(struct demo *d);
must_use enum db_rc demo_make_contacts(struct demo *d);
must_use enum db_rc demo_make_results(struct demo *d);	/* and the tests */
must_use enum db_rc demo_make_materials(struct demo *d);	/* and what is assigned */

/* ---- placement tests */

#define DEMO_OPTIONS 4
struct demo_question {
	const char *text, *option[DEMO_OPTIONS];	/* the first is right */
	double points, difficulty;	/* difficulty: the ability at which half of those know it who do not guess */
	double sharpness;		/* how well it tells apart those above and below */
};
struct demo_test {
	const char *title, *description, *language;
	int64_t minutes;		/* 0: no limit */
	const struct demo_question *questions;
	int count;
};
extern const struct demo_test demo_tests[2];

#endif
