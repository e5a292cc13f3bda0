#include <stdlib.h>
#include <string.h>

#include "policy/arena.h"
#include "policy/compare_parts.h"
#include "policy/flows.h"

/*
 * What flows in one version and not in the other. Every pair of classes is compared for itself; then
 * sentences that differ in the sender, the event or the recipient alone become one.
 */
struct change {
    const char *from; /* names, joined by ", " */
    const char *event;
    const char *to;
    const char *verb; /* "newly gives" */
    const char *what; /* "name, dob" */
    const char *tail; /* " (rule ...)" */
    bool joined;      /* into another */
};

struct changes {
    struct comparison *comparison;
    struct arena *arena;
    struct change *list;
    size_t count;
    size_t capacity;
};

/* Text that the arena keeps; "" when memory is out. */
static const char *keep(struct changes *changes, struct byte_buffer *text)
{
    const char *copy;

    bytes_append_u8(text, 0);
    copy = text->status == STATUS_OK ? arena_text(changes->arena, (const char *)text->data) : NULL;
    if (copy == NULL)
        changes->comparison->no_memory = true;
    bytes_buffer_free(text);
    return copy == NULL ? "" : copy;
}

static void add(struct changes *changes, const struct change *change)
{
    struct change *list;
    size_t capacity;

    if (changes->count == changes->capacity) {
        capacity = changes->capacity == 0 ? 64 : changes->capacity * 2;
        list = realloc(changes->list, capacity * sizeof *list);
        if (list == NULL) {
            changes->comparison->no_memory = true;
            return;
        }
        changes->list = list;
        changes->capacity = capacity;
    }
    changes->list[changes->count++] = *change;
}

static const char *event_of(const struct flows *flows, const struct flow *flow)
{
    return flows->protocol->catalogue->events[flow->event].type;
}

static const char *class_of(const struct flows *flows, uint32_t bits)
{
    return bits == 0 ? "" : flows->protocol->classes[__builtin_ctz(bits)].name;
}

static const char *name_of_replaced(const struct flows *flows, const struct flow *flow)
{
    return flow->replaced_class == PROTOCOL_NONE ? "" : flows->protocol->classes[flow->replaced_class].name;
}

/* Do two flows, of two versions, go the same way? */
static bool same_way(const struct flows *a, const struct flow *x, const struct flows *b, const struct flow *y)
{
    return (x->entry == PROTOCOL_NONE) == (y->entry == PROTOCOL_NONE) && x->relation == y->relation &&
           strcmp(event_of(a, x), event_of(b, y)) == 0 &&
           strcmp(class_of(a, x->from), class_of(b, y->from)) == 0 &&
           strcmp(class_of(a, x->to), class_of(b, y->to)) == 0 &&
           strcmp(name_of_replaced(a, x), name_of_replaced(b, y)) == 0;
}

/* How many before it go the same way: several entries of a rule may. */
static size_t turn_of(const struct flows *flows, size_t at)
{
    size_t turn = 0;

    for (size_t i = 0; i < at; i++)
        turn += same_way(flows, &flows->list[i], flows, &flows->list[at]);
    return turn;
}

static const struct flow *counterpart(const struct flows *flows, size_t at, const struct flows *others)
{
    size_t turn = turn_of(flows, at);

    for (size_t i = 0; i < others->count; i++) {
        if (same_way(flows, &flows->list[at], others, &others->list[i]) && turn-- == 0)
            return &others->list[i];
    }
    return NULL;
}

static struct change start(struct changes *changes, const struct flows *flows, const struct flow *flow,
                           const char *verb)
{
    struct byte_buffer to = bytes_buffer(1024);

    if (flow->entry == PROTOCOL_NONE)
        bytes_append_string(&to, "for the register");
    else
        bytes_append_format(&to, "%s (%s)", class_of(flows, flow->to),
                            protocol_relation_name(flow->relation));
    if (flow->replaced_class != PROTOCOL_NONE)
        bytes_append_format(&to, ", in place of %s for juveniles,", name_of_replaced(flows, flow));
    return (struct change){.from = class_of(flows, flow->from),
                           .event = event_of(flows, flow),
                           .to = keep(changes, &to),
                           .verb = verb,
                           .what = "",
                           .tail = ""};
}

static void write_law(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    const struct protocol *protocol = flows->protocol;

    for (uint16_t i = 0; i < protocol->gateway_count; i++) {
        if ((flow->gateways >> i & 1) != 0)
            bytes_append_format(out, "; gateway %s", protocol->gateways[i].name);
    }
    if (flow->crossing != PROTOCOL_NONE)
        bytes_append_format(out, "; crossing %s", protocol->crossings[flow->crossing].name);
    if (flow->condition != PROTOCOL_NONE)
        bytes_append_format(out, "; condition %s", protocol->conditions[flow->condition].name);
    if (flow->consent != PROTOCOL_NONE)
        bytes_append_format(out, "; only with the consent %s", protocol->consents[flow->consent].scope);
}

/* A flow that one version has and the other has not. */
static void add_whole(struct changes *changes, const struct flows *flows, const struct flow *flow,
                      const char *verb)
{
    const struct protocol_rule *rule = &flows->protocol->rules[flow->rule];
    struct byte_buffer what = bytes_buffer(8192), tail = bytes_buffer(4096);
    struct change change = start(changes, flows, flow, verb);

    if (flow->entry == PROTOCOL_NONE)
        bytes_append_string(&what, "a record");
    else
        flows_labels(flows->protocol->catalogue, &flow->labels, &what);
    bytes_append_format(&tail, " (rule %s, %s", rule->id, rule->paragraph);
    write_law(flows, flow, &tail);
    bytes_append_string(&tail, ")");
    change.what = keep(changes, &what);
    change.tail = keep(changes, &tail);
    add(changes, &change);
}

/* Labels of one flow that the other has not, by name: each version has its own catalogue. */
static void add_items(struct changes *changes, const struct flows *flows, const struct flow *flow,
                      const struct flows *others, const struct flow *other, const char *verb)
{
    const struct catalogue *catalogue = flows->protocol->catalogue;
    struct byte_buffer what = bytes_buffer(8192);
    struct change change;

    for (unsigned i = label_set_next(&flow->labels, 0); i < SET256_END;
         i = label_set_next(&flow->labels, i + 1)) {
        uint16_t label =
            catalogue_find_label(others->protocol->catalogue, bytes_of_string(catalogue->labels[i].label));

        if (label == CATALOGUE_NONE || !label_set_has(&other->labels, label))
            bytes_append_format(&what, "%s%s", what.size == 0 ? "" : ", ", catalogue->labels[i].label);
    }
    if (what.size == 0) {
        bytes_buffer_free(&what);
        return;
    }
    change = start(changes, flows, flow, verb);
    change.what = keep(changes, &what);
    add(changes, &change);
}

/* One fact about how a flow goes, as each version has it. */
static void add_difference(struct changes *changes, const struct flows *flows, const struct flow *flow,
                           const char *fact, struct byte_buffer *was, struct byte_buffer *is)
{
    struct byte_buffer tail = bytes_buffer(8192);
    struct change change;

    if (!bytes_equal(bytes_buffer_view(was), bytes_buffer_view(is))) {
        bytes_append_format(&tail, ", but with another %s: ", fact);
        bytes_append_view(&tail, bytes_buffer_view(is));
        bytes_append_string(&tail, is->size == 0 ? "none instead of " : " instead of ");
        bytes_append_view(&tail, bytes_buffer_view(was));
        bytes_append_string(&tail, was->size == 0 ? "none" : "");
        change = start(changes, flows, flow, "still gives");
        change.what = "its items";
        change.tail = keep(changes, &tail);
        add(changes, &change);
    }
    bytes_buffer_free(was);
    bytes_buffer_free(is);
}

typedef void (*write_fact)(const struct flows *flows, const struct flow *flow, struct byte_buffer *out);

static void write_consent(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    if (flow->consent != PROTOCOL_NONE)
        bytes_append_string(out, flows->protocol->consents[flow->consent].scope);
}

static void write_gateways(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; i < flows->protocol->gateway_count; i++) {
        if ((flow->gateways >> i & 1) != 0)
            compare_names_add(&names, flows->protocol->gateways[i].name);
    }
    if (names.count > 0)
        compare_names_write(&names, out);
}

static void write_crossing(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    if (flow->crossing != PROTOCOL_NONE)
        bytes_append_string(out, flows->protocol->crossings[flow->crossing].name);
}

static void write_condition(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    if (flow->condition != PROTOCOL_NONE)
        bytes_append_string(out, flows->protocol->conditions[flow->condition].name);
}

static void write_required(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    if (flow->route != NULL && !label_set_empty(&flow->route->required))
        flows_labels(flows->protocol->catalogue, &flow->route->required, out);
}

static void write_when(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    if (flow->route != NULL)
        flows_when(flows->protocol, flow, out);
}

static void write_clock(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    flows_clock(flows->protocol, flow, out);
}

static void write_rule(const struct flows *flows, const struct flow *flow, struct byte_buffer *out)
{
    bytes_append_string(out, flows->protocol->rules[flow->rule].id);
}

static void add_differences(struct changes *changes, const struct flows *before, const struct flow *was,
                            const struct flows *after, const struct flow *is)
{
    static const struct {
        const char *fact;
        write_fact write;
    } facts[] = {
        {"consent", write_consent},
        {"gateway", write_gateways},
        {"crossing", write_crossing},
        {"condition", write_condition},
        {"required item", write_required},
        {"deadline", write_clock},
        {"rule", write_rule},
        {"case", write_when},
    };

    add_items(changes, after, is, before, was, "newly gives");
    add_items(changes, before, was, after, is, "no longer gives");
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct byte_buffer old_text = bytes_buffer(4096), new_text = bytes_buffer(4096);

        facts[i].write(before, was, &old_text);
        facts[i].write(after, is, &new_text);
        add_difference(changes, after, is, facts[i].fact, &old_text, &new_text);
    }
}

static void find_changes(struct changes *changes, const struct flows *before, const struct flows *after,
                         bool replaced_only)
{
    for (size_t i = 0; i < after->count; i++) {
        const struct flow *is = &after->list[i], *was;

        if (replaced_only && is->replaced_class == PROTOCOL_NONE)
            continue;
        was = counterpart(after, i, before);
        if (was == NULL)
            add_whole(changes, after, is, is->entry == PROTOCOL_NONE ? "newly takes" : "newly gives");
        else
            add_differences(changes, before, was, after, is);
    }
    for (size_t i = 0; i < before->count; i++) {
        const struct flow *was = &before->list[i];

        if (replaced_only && was->replaced_class == PROTOCOL_NONE)
            continue;
        if (counterpart(before, i, after) == NULL)
            add_whole(changes, before, was,
                      was->entry == PROTOCOL_NONE ? "no longer takes" : "no longer gives");
    }
}

/* joining sentences */

enum joint { JOINT_FROM, JOINT_EVENT, JOINT_TO };

static bool may_join(const struct change *a, const struct change *b, enum joint joint)
{
    return strcmp(a->verb, b->verb) == 0 && strcmp(a->what, b->what) == 0 && strcmp(a->tail, b->tail) == 0 &&
           (joint == JOINT_FROM || strcmp(a->from, b->from) == 0) &&
           (joint == JOINT_EVENT || strcmp(a->event, b->event) == 0) &&
           (joint == JOINT_TO || strcmp(a->to, b->to) == 0);
}

static const char **name_at(struct change *change, enum joint joint)
{
    if (joint == JOINT_FROM)
        return &change->from;
    return joint == JOINT_EVENT ? &change->event : &change->to;
}

static void join(struct changes *changes, enum joint joint)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct change *first = &changes->list[i];
        struct byte_buffer names = bytes_buffer(16384);

        if (first->joined)
            continue;
        bytes_append_string(&names, *name_at(first, joint));
        for (size_t k = i + 1; k < changes->count; k++) {
            struct change *other = &changes->list[k];

            if (other->joined || !may_join(first, other, joint))
                continue;
            bytes_append_format(&names, ", %s", *name_at(other, joint));
            other->joined = true;
        }
        *name_at(first, joint) = keep(changes, &names);
    }
}

static void say(struct changes *changes)
{
    join(changes, JOINT_FROM);
    join(changes, JOINT_EVENT);
    join(changes, JOINT_TO);
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];

        if (!change->joined)
            compare_say(changes->comparison, "Version %u %s %s %s of %s from %s%s.",
                        changes->comparison->after->version, change->verb, change->to, change->what,
                        change->event, change->from, change->tail);
    }
}

static void compare_person(struct comparison *comparison, enum flows_person person)
{
    struct flows *before = flows_make(comparison->before, person, true);
    struct flows *after = flows_make(comparison->after, person, true);
    struct changes changes = {.comparison = comparison, .arena = arena_new()};

    if (before == NULL || after == NULL || changes.arena == NULL) {
        comparison->no_memory = true;
    } else {
        find_changes(&changes, before, after, person == FLOWS_JUVENILE);
        say(&changes);
    }
    free(changes.list);
    arena_free(&changes.arena);
    flows_free(&before);
    flows_free(&after);
}

void compare_flows_all(struct comparison *comparison)
{
    compare_under(comparison, "Who gets what");
    compare_person(comparison, FLOWS_ADULT);
    compare_under(comparison, "Who gets what about juveniles");
    compare_person(comparison, FLOWS_JUVENILE);
}
