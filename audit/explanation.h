#pragma once

#include <jansson.h>

#include "audit/table.h"
#include "base/status.h"

/*
 * One entry of the log in sentences, from what the broker can say about it (broker/explaining.h): who told
 * whom which items about whom; why it was allowed when it happened, or why refused; what happened to it
 * since.
 */
#define EXPLANATION_ROWS_MAX 4096

struct explanation;

/* explanation_new - ret is freed with explanation_free. STATUS_NO_MEMORY. */
enum status explanation_new(struct explanation **ret);
void explanation_free(struct explanation **explanation);

/* explanation_take - the next object of the broker's; what it does not know it leaves out. STATUS_TOO_LARGE
 * beyond EXPLANATION_ROWS_MAX rows, STATUS_NO_MEMORY. */
enum status explanation_take(struct explanation *explanation, const json_t *object);

/* explanation_write - all sentences. *ret_agrees false: what was disclosed is not what the protocol allowed.
 */
void explanation_write(const struct explanation *explanation, struct table_page *page, bool *ret_agrees);
