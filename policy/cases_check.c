#include "policy/cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A decision compared with what a case expects, in sentences. */

struct comparison {
    const struct protocol *protocol;
    const struct cases_case *it;
    const struct policy_decision *decision;
    struct byte_buffer *text;
    bool same;
};

__attribute__((format(printf, 2, 3))) static void differ(struct comparison *comparison, const char *format,
                                                         ...)
{
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    bytes_append_format(comparison->text, "  %s\n", sentence);
    comparison->same = false;
}

static const char *id_of(const struct comparison *comparison, uint16_t party)
{
    return comparison->protocol->parties[party].id;
}

/* "name, dob", or "nothing but the event itself". */
static const char *list_labels(const struct comparison *comparison, const struct label_set *labels, char *out,
                               size_t size)
{
    size_t used = 0;

    snprintf(out, size, "no item");
    for (unsigned label = label_set_next(labels, 0); label < SET256_END && used < size;
         label = label_set_next(labels, label + 1))
        used += (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                 comparison->protocol->catalogue->labels[label].label);
    return out;
}

static void compare_items(struct comparison *comparison, const struct cases_recipient *expected,
                          const struct policy_recipient *came)
{
    struct label_set more = label_set_minus(came->labels, &expected->labels);
    struct label_set less = label_set_minus(expected->labels, &came->labels);
    char list[512];

    if (!label_set_empty(&less))
        differ(comparison, "%s was to receive %s and does not.", came->to,
               list_labels(comparison, &less, list, sizeof list));
    if (!label_set_empty(&more))
        differ(comparison, "%s was not to receive %s and does.", came->to,
               list_labels(comparison, &more, list, sizeof list));
}

static void compare_clock(struct comparison *comparison, const struct cases_recipient *expected,
                          const struct policy_recipient *came)
{
    char wanted[CIVIL_TIME_SIZE], got[CIVIL_TIME_SIZE];

    if (came->late != expected->late)
        differ(comparison, "For %s it was%s to be late and is%s.", came->to, expected->late ? "" : " not",
               came->late ? "" : " not");
    if (expected->has_urgent && came->urgent != expected->urgent)
        differ(comparison, "For %s it was%s to be urgent and is%s.", came->to, expected->urgent ? "" : " not",
               came->urgent ? "" : " not");
    if (expected->deadline == INT64_MIN || came->deadline == expected->deadline)
        return;
    civil_format_time(expected->deadline, wanted);
    civil_format_time(came->deadline, got);
    differ(comparison, "For %s the deadline was to be %s and is %s.", came->to, wanted,
           came->deadline == 0 ? "not set" : got);
}

static void compare_law(struct comparison *comparison, const struct cases_recipient *expected,
                        const struct policy_recipient *came)
{
    if (expected->gateway != NULL && strcmp(came->gateway, expected->gateway) != 0)
        differ(comparison, "%s was to receive it by gateway %s and does by %s.", came->to, expected->gateway,
               came->gateway);
    if (expected->rule != NULL && strcmp(came->rule, expected->rule) != 0)
        differ(comparison, "%s was to receive it under rule %s and does under %s.", came->to, expected->rule,
               came->rule);
    if (expected->in_place_of != PROTOCOL_NONE && came->replaced_class != expected->in_place_of)
        differ(comparison, "%s was to take the place of class %s and does not.", came->to,
               comparison->protocol->classes[expected->in_place_of].name);
}

/* Both lists ascend by party. */
static void compare_recipients(struct comparison *comparison)
{
    const struct cases_case *it = comparison->it;
    const struct policy_decision *decision = comparison->decision;
    uint16_t expected = 0, came = 0;
    char list[512];

    while (expected < it->recipient_count || came < decision->recipient_count) {
        unsigned wanted = expected < it->recipient_count ? it->recipients[expected].party : SET256_END;
        unsigned got = came < decision->recipient_count ? decision->recipients[came].party : SET256_END;

        if (wanted < got) {
            differ(comparison, "%s was to receive %s and receives nothing.",
                   id_of(comparison, (uint16_t)wanted),
                   list_labels(comparison, &it->recipients[expected++].labels, list, sizeof list));
        } else if (got < wanted) {
            differ(comparison, "%s was to receive nothing and receives %s.", decision->recipients[came].to,
                   list_labels(comparison, &decision->recipients[came].labels, list, sizeof list));
            came++;
        } else {
            compare_items(comparison, &it->recipients[expected], &decision->recipients[came]);
            compare_clock(comparison, &it->recipients[expected], &decision->recipients[came]);
            compare_law(comparison, &it->recipients[expected++], &decision->recipients[came++]);
        }
    }
}

static bool same_refusal(const struct cases_refusal *expected, const struct policy_refusal *came)
{
    return expected->code == came->code && expected->party == came->party &&
           expected->class_index == came->class_index;
}

static unsigned count_expected(const struct cases_case *it, const struct cases_refusal *refusal)
{
    unsigned count = 0;

    for (uint16_t i = 0; i < it->refusal_count; i++)
        count += it->refusals[i].code == refusal->code && it->refusals[i].party == refusal->party &&
                 it->refusals[i].class_index == refusal->class_index;
    return count;
}

static unsigned count_came(const struct policy_decision *decision, const struct cases_refusal *refusal)
{
    unsigned count = 0;

    for (uint16_t i = 0; i < decision->refusal_count; i++)
        count += same_refusal(refusal, &decision->refusals[i]);
    return count;
}

static void name_whom(const struct comparison *comparison, uint16_t party, uint16_t class,
                      char out[static 96])
{
    if (party != PROTOCOL_NONE)
        snprintf(out, 96, "%s", id_of(comparison, party));
    else if (class != PROTOCOL_NONE)
        snprintf(out, 96, "class %s", comparison->protocol->classes[class].name);
    else
        snprintf(out, 96, "the event");
}

static void compare_refusals(struct comparison *comparison)
{
    const struct policy_decision *decision = comparison->decision;
    const struct cases_case *it = comparison->it;
    char whom[96];

    for (uint16_t i = 0; i < it->refusal_count; i++) {
        const struct cases_refusal *refusal = &it->refusals[i];

        if (count_came(decision, refusal) >= count_expected(it, refusal))
            continue;
        name_whom(comparison, refusal->party, refusal->class_index, whom);
        differ(comparison, "%s was to be refused with %s and is not.", whom, policy_code_name(refusal->code));
    }
    for (uint16_t i = 0; i < decision->refusal_count; i++) {
        const struct policy_refusal *came = &decision->refusals[i];
        struct cases_refusal refusal = {came->party, came->class_index, came->code};
        char sentence[POLICY_TEXT_SIZE];

        if (count_expected(it, &refusal) >= count_came(decision, &refusal))
            continue;
        name_whom(comparison, came->party, came->class_index, whom);
        policy_refusal_text(comparison->protocol, decision, came, sentence);
        differ(comparison, "%s was not to be refused with %s and is: %s", whom, policy_code_name(came->code),
               sentence);
    }
}

static void compare_sentences(struct comparison *comparison)
{
    const struct policy_decision *decision = comparison->decision;
    char sentence[POLICY_TEXT_SIZE];

    for (uint16_t i = 0; i < comparison->it->says_count; i++) {
        bool found = false;

        for (uint16_t k = 0; k < decision->refusal_count && !found; k++) {
            policy_refusal_text(comparison->protocol, decision, &decision->refusals[k], sentence);
            found = strstr(sentence, comparison->it->says[i]) != NULL;
        }
        if (!found)
            differ(comparison, "No refusal says '%s'.", comparison->it->says[i]);
    }
}

bool cases_check(const struct protocol *protocol, const struct cases_case *it,
                 struct policy_decision *ret_decision, struct byte_buffer *ret_text)
{
    struct comparison comparison = {protocol, it, ret_decision, ret_text, true};

    policy_decide(protocol, &it->facts, &it->request, it->now, ret_decision);
    if (ret_decision->record != it->recorded)
        differ(&comparison, "It was%s to be recorded and is%s.", it->recorded ? "" : " not",
               ret_decision->record ? "" : " not");
    compare_recipients(&comparison);
    compare_refusals(&comparison);
    compare_sentences(&comparison);
    return comparison.same;
}
