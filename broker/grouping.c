#include "broker/grouping.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MOST   12u /* each with its arena */
#define HELD_ENOUGH 8u  /* to go along with a commit */

struct grouping {
    size_t most_frames;
    size_t most_bytes;
    int64_t hold_ms;
    struct job *waiting[JOB_LANES]; /* verified out of turn, ascending by sequence, linked by `later` */
    uint64_t next[JOB_LANES];
    struct job *held[HELD_MOST];
    size_t held_count;
    int64_t held_since;
    struct job **group; /* room for most_frames and all that is held */
};

/* A group under way. */
struct draft {
    size_t count;
    size_t bytes;
    bool commits;  /* something in it is committed in any case */
    bool in_order; /* something in it must not come before what acknowledges */
};

enum status grouping_new(size_t most_frames, size_t most_bytes, int64_t hold_ms, struct grouping **ret)
{
    struct grouping *grouping = calloc(1, sizeof *grouping);

    if (grouping == NULL)
        return STATUS_NO_MEMORY;
    grouping->most_frames = most_frames;
    grouping->most_bytes = most_bytes;
    grouping->hold_ms = hold_ms;
    for (size_t i = 0; i < JOB_LANES; i++)
        grouping->next[i] = 1;
    grouping->group = calloc(most_frames + HELD_MOST, sizeof(struct job *));
    if (grouping->group == NULL) {
        grouping_free(&grouping);
        return STATUS_NO_MEMORY;
    }
    *ret = grouping;
    return STATUS_OK;
}

void grouping_free(struct grouping **grouping)
{
    if (*grouping == NULL)
        return;
    free((*grouping)->group);
    free(*grouping);
    *grouping = NULL;
}

void grouping_put(struct grouping *grouping, struct job *job)
{
    struct job **link = &grouping->waiting[job->lane];

    while (*link != NULL && (*link)->sequence < job->sequence)
        link = &(*link)->later;
    job->later = *link;
    *link = job;
}

/* The lane's next job, if it is its turn. */
static struct job *take(struct grouping *grouping, enum job_lane lane)
{
    struct job *job = grouping->waiting[lane];

    if (job == NULL || job->sequence != grouping->next[lane])
        return NULL;
    grouping->waiting[lane] = job->later;
    grouping->next[lane]++;
    job->later = NULL;
    return job;
}

static bool has_room(const struct grouping *grouping, const struct draft *draft)
{
    return draft->count < grouping->most_frames && draft->bytes < grouping->most_bytes;
}

static void add(struct grouping *grouping, struct draft *draft, struct job *job)
{
    bool publish =
        job->kind == JOB_FRAME && job->error == NULL && job->frame->verb_case == WIRE__FRAME__VERB_PUBLISH;

    draft->in_order = draft->in_order || job->kind == JOB_BUNDLE || job->kind == JOB_CONTROL;
    draft->commits = draft->commits || draft->in_order || publish;
    draft->bytes += job->bytes.size;
    grouping->group[draft->count++] = job;
}

static void hold(struct grouping *grouping, struct job *job, int64_t elapsed)
{
    if (grouping->held_count == 0)
        grouping->held_since = elapsed;
    grouping->held[grouping->held_count++] = job;
}

static bool goes_along(const struct grouping *grouping, const struct draft *draft, int64_t elapsed)
{
    int64_t waited = elapsed - grouping->held_since;

    if (grouping->held_count == 0)
        return false;
    if (draft->in_order || grouping->held_count == HELD_MOST || waited >= grouping->hold_ms)
        return true;
    return draft->commits && (grouping->held_count >= HELD_ENOUGH || waited >= grouping->hold_ms / 2);
}

size_t grouping_next(struct grouping *grouping, int64_t elapsed, struct job ***ret_jobs)
{
    struct draft draft = {0};
    struct job *job = NULL;

    while (has_room(grouping, &draft) && (job = take(grouping, JOB_LANE_MAIN)) != NULL)
        add(grouping, &draft, job);
    while (has_room(grouping, &draft) && grouping->held_count < HELD_MOST &&
           (job = take(grouping, JOB_LANE_RECEIPTS)) != NULL) {
        if (job->error == NULL)
            hold(grouping, job, elapsed);
        else
            add(grouping, &draft, job); /* only an answer */
    }
    if (goes_along(grouping, &draft, elapsed)) {
        memmove(grouping->group + grouping->held_count, grouping->group, draft.count * sizeof(struct job *));
        memcpy(grouping->group, grouping->held, grouping->held_count * sizeof(struct job *));
        draft.count += grouping->held_count;
        grouping->held_count = 0;
    }
    *ret_jobs = grouping->group;
    return draft.count;
}

int64_t grouping_wait(const struct grouping *grouping, int64_t elapsed)
{
    int64_t left = grouping->held_since + grouping->hold_ms - elapsed;

    if (grouping->held_count == 0)
        return -1;
    return left < 0 ? 0 : left;
}
