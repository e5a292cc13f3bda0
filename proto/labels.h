#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

/*
 * A list of item labels, as the attribute `held` carries it: ascending in byte order, none twice, separated
 * by commas without spaces. The empty text is the empty list.
 */
#define LABELS_LABEL_LENGTH 32                                        /* the longest label */
#define LABELS_MOST         64                                        /* labels in a list */
#define LABELS_SIZE         (LABELS_MOST * (LABELS_LABEL_LENGTH + 1)) /* of the text, with its zero */

/* labels_label_check - one label: [a-z][a-z0-9_]*, at most LABELS_LABEL_LENGTH. STATUS_BAD_FORMAT otherwise.
 */
enum status labels_label_check(struct byte_view label);

/*
 * labels_canonical - put a list in canonical form: spaces around labels go, and the labels are sorted.
 *
 * Returns STATUS_BAD_FORMAT (an ill-formed label, one that stands twice) or STATUS_TOO_LARGE, with a reason
 * (which may be NULL).
 */
enum status labels_canonical(struct byte_view in, char ret_list[static LABELS_SIZE],
                             struct kind_reason *ret_reason);

/* labels_next - take the first label off a canonical list; false when none is left. Borrowed from the list.
 */
bool labels_next(struct byte_view *list, struct byte_view *ret_label);

/* labels_contain - does a canonical list hold this label? */
bool labels_contain(struct byte_view list, struct byte_view label);
