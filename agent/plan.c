#include "agent/plan.h"

#include <stdlib.h>
#include <string.h>

#include "agent/membership.h"
#include "policy/decide.h"

void plan_free(struct plan **plan)
{
    if (*plan == NULL)
        return;
    bytes_buffer_wipe(&(*plan)->kept);
    bytes_buffer_wipe(&(*plan)->opening);
    bytes_buffer_free(&(*plan)->core);
    bytes_wipe(*plan, sizeof **plan);
    free(*plan);
    *plan = NULL;
}

enum juvenile plan_juvenile(struct byte_view dob, struct duration until, int64_t now)
{
    char text[CIVIL_DATE_SIZE];
    int32_t born = 0;
    int32_t grown = 0;

    if (dob.size == 0 || dob.size >= sizeof text)
        return JUVENILE_UNKNOWN;
    memcpy(text, dob.data, dob.size);
    text[dob.size] = '\0';
    if (civil_parse_date(text, &born) != STATUS_OK || born > civil_day_of(now))
        return JUVENILE_UNKNOWN;
    grown = civil_day_of(civil_add_duration(civil_time_of_day_start(born), until, 1));
    /* Born on 29 February: the birthday of a common year is 1 March. */
    if (civil_add_months(grown, -until.months) != born && until.ms == 0)
        grown++;
    return civil_day_of(now) < grown ? JUVENILE_YES : JUVENILE_NO;
}

static const char *juvenile_text(enum juvenile juvenile)
{
    switch (juvenile) {
    case JUVENILE_YES:
        return "yes";
    case JUVENILE_NO:
        return "no";
    case JUVENILE_UNKNOWN:
    default:
        return "unknown";
    }
}

/* The labels of the sealed items that we have, as the attribute `held` lists them. */
static enum status list_held(struct plan *plan, const struct catalogue *catalogue,
                             const struct catalogue_event *event)
{
    struct byte_buffer text = bytes_buffer(sizeof plan->held - 1);
    struct label_set held = {{0}};
    enum status status = STATUS_OK;

    for (size_t i = 0; i < plan->prepared.value_count; i++) {
        const uint16_t label = catalogue_find_label(catalogue, plan->prepared.values[i].label);

        if (label != CATALOGUE_NONE && label_set_has(&event->item_set, label))
            label_set_add(&held, label);
    }
    catalogue_format_labels(catalogue, &held, &text);
    status = text.status;
    if (status == STATUS_OK && text.size > 0)
        memcpy(plan->held, text.data, text.size);
    bytes_buffer_free(&text);
    return status;
}

static struct byte_view attribute_value(const struct plan *plan, const struct catalogue_event *event,
                                        const struct catalogue *catalogue, uint16_t position)
{
    const struct byte_view *value = NULL;

    if (position == event->held)
        return bytes_of_string(plan->held);
    if (position == event->juvenile)
        return bytes_of_string(plan->juvenile);
    value = prepared_find(&plan->prepared,
                          bytes_of_string(catalogue->labels[event->attributes[position].label].label));
    return value != NULL ? *value : (struct byte_view){NULL, 0};
}

/* Attributes in catalogue order into the request and the opening; the absent ones are left out. */
static enum status open_attributes(struct plan *plan, const struct catalogue *catalogue,
                                   const struct random_source *random,
                                   struct opening_attribute attributes[static CORE_ATTRIBUTES_MAX],
                                   size_t *ret_count)
{
    const struct catalogue_event *event = &catalogue->events[plan->request.event];
    enum status status = STATUS_OK;
    size_t count = 0;

    for (uint16_t i = 0; i < event->attribute_count && status == STATUS_OK; i++) {
        const struct byte_view value = attribute_value(plan, event, catalogue, i);

        if (value.data == NULL)
            continue;
        plan->request.attributes[i] = value;
        attributes[count].id = bytes_of_string(catalogue->labels[event->attributes[i].label].label);
        attributes[count].value = value;
        status = random_fill(random, attributes[count].salt, OPENING_SALT_SIZE);
        count++;
    }
    *ret_count = count;
    return status;
}

static void fill_core(const struct plan *plan, const struct membership *membership, struct core *core)
{
    const struct prepared *prepared = &plan->prepared;

    memcpy(core->event, prepared->event, CORE_EVENT_SIZE);
    memcpy(core->bundle, bundle_head_digest(membership->bundle), CORE_DIGEST_SIZE);
    memcpy(core->subject, prepared->subject, CORE_SUBJECT_SIZE);
    core->type = prepared->type;
    core->protocol = prepared->protocol;
    core->from = plan->request.from;
    core->purpose = plan->request.purpose;
    core->officer = prepared->officer;
    core->occurred = prepared->occurred;
    core->created = prepared->created;
    core->effective = prepared->effective;
    core->has_correlation = prepared->has_correlation;
    core->has_supersedes = prepared->has_supersedes;
    core->has_repeats = prepared->has_repeats;
    memcpy(core->correlation, prepared->correlation, CORE_EVENT_SIZE);
    memcpy(core->supersedes, prepared->supersedes, CORE_EVENT_SIZE);
    memcpy(core->repeats, prepared->repeats, CORE_EVENT_SIZE);
}

static enum status fill_request(struct plan *plan, const struct membership *membership, struct byte_view from)
{
    const struct prepared *prepared = &plan->prepared;
    const char *purpose = NULL;
    char date[CIVIL_DATE_SIZE] = "";

    plan->protocol = membership_protocol(membership, prepared->protocol);
    plan->request.event = catalogue_find_event(membership->catalogue, prepared->type);
    if (plan->protocol == NULL || plan->request.event == CATALOGUE_NONE)
        return STATUS_REFUSED;
    purpose = policy_purpose(plan->protocol, from, plan->request.event);
    if (purpose == NULL)
        return STATUS_REFUSED;
    plan->request.from = from;
    plan->request.purpose = bytes_of_string(purpose);
    plan->request.occurred = prepared->occurred;
    plan->request.created = prepared->created;
    plan->request.correlated = prepared->has_correlation;
    plan->request.supersedes = prepared->has_supersedes;
    plan->request.repeats = prepared->has_repeats;
    plan->request.effective = REQUEST_NO_DATE;
    if (prepared->effective.size > 0 && prepared->effective.size < sizeof date) {
        memcpy(date, prepared->effective.data, prepared->effective.size);
        (void)civil_parse_date(date, &plan->request.effective);
    }
    return STATUS_OK;
}

static enum status make(struct plan *plan, const struct membership *membership,
                        const struct random_source *random, int64_t now)
{
    const struct catalogue *catalogue = membership->catalogue;
    const struct byte_view *dob = prepared_find(&plan->prepared, bytes_of_string("dob"));
    struct opening_attribute attributes[CORE_ATTRIBUTES_MAX];
    struct core core = {0};
    size_t count = 0;
    enum status status = list_held(plan, catalogue, &catalogue->events[plan->request.event]);

    if (status != STATUS_OK)
        return status;
    plan->juvenile = juvenile_text(
        plan_juvenile(dob != NULL ? *dob : bytes_view(NULL, 0), plan->protocol->juvenile_until, now));
    status = open_attributes(plan, catalogue, random, attributes, &count);
    if (status == STATUS_OK)
        status = request_read(catalogue, &plan->request, NULL) == STATUS_OK ? STATUS_OK : STATUS_REFUSED;
    if (status != STATUS_OK)
        return status;
    fill_core(plan, membership, &core);
    opening_commit(attributes, count, &core);
    status = core_encode(&core, &plan->core);
    if (status == STATUS_OK)
        status = opening_encode(attributes, count, &plan->opening);
    bytes_wipe(attributes, sizeof attributes);
    return status == STATUS_BAD_ARGUMENT ? STATUS_REFUSED : status;
}

enum status plan_make(const struct membership *membership, struct byte_view from, struct byte_buffer *kept,
                      const struct random_source *random, int64_t now, struct plan **ret_plan)
{
    struct plan *plan = calloc(1, sizeof *plan);
    enum status status = STATUS_OK;

    if (plan == NULL)
        return STATUS_NO_MEMORY;
    plan->core = bytes_buffer(CORE_SIZE_MAX);
    plan->opening = bytes_buffer(WIRE_FRAME_LIMIT);
    status = prepared_decode(bytes_buffer_view(kept), &plan->prepared);
    if (status == STATUS_OK)
        status = fill_request(plan, membership, from);
    if (status == STATUS_OK)
        status = make(plan, membership, random, now);
    if (status != STATUS_OK) {
        plan_free(&plan);
        return status;
    }
    plan->kept = *kept;
    *kept = (struct byte_buffer){0};
    *ret_plan = plan;
    return STATUS_OK;
}
