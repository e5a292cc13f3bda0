#include "broker/job.h"

#include <assert.h>
#include <stdlib.h>

enum status job_new(enum job_kind kind, struct job **ret)
{
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return STATUS_NO_MEMORY;
    job->kind = kind;
    job->bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    *ret = job;
    return STATUS_OK;
}

void job_free(struct job **job)
{
    if (*job == NULL)
        return;
    assert((*job)->arena == NULL);
    bytes_buffer_free(&(*job)->bytes);
    rulebook_free(&(*job)->rulebook);
    free(*job);
    *job = NULL;
}
