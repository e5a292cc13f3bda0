/* Any bytes as feed.yaml: problems with places, or a mapping that keeps to its limits. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/feed_mapping.h"
#include "base/civil.h"
#include "base/yaml_errors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct yaml_errors errors;

static void check_values(const struct feed_mapping *mapping, const struct feed_values *values)
{
    assert(values->count <= FEED_VALUES_MAX);
    for (size_t i = 0; i < values->count; i++) {
        const struct feed_value *value = &values->list[i];

        assert(value->label != NULL && value->from_count <= FEED_JOIN_MAX);
        assert((value->constant != NULL) != (value->from_count > 0));
        for (size_t k = 0; k < value->from_count; k++)
            assert(value->from[k] < mapping->field_count);
        for (size_t k = 0; k < value->pattern_count; k++)
            assert(civil_valid_pattern(value->patterns[k]));
        assert(feed_mapping_value(values, value->label) != NULL);
        if (value->lookup != NULL)
            (void)feed_mapping_look_up(value->lookup, bytes_of_string("x"));
    }
}

static void check_conditions(const struct feed_mapping *mapping, const struct feed_conditions *conditions)
{
    assert(conditions->count <= FEED_CONDITIONS_MAX);
    for (size_t i = 0; i < conditions->count; i++) {
        const struct feed_condition *condition = &conditions->list[i];

        assert(condition->field < mapping->field_count);
        if (condition->test == FEED_TEST_IN || condition->test == FEED_TEST_NOT_IN)
            assert(condition->establishments || yaml_count(condition->codes) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed_mapping *mapping = NULL;
    enum status status = STATUS_OK;

    if (size > 64 * 1024) /* looking up every key is quadratic here */
        return 0;
    memset(&errors, 0, sizeof errors);
    status = feed_mapping_load(bytes_view(data, size), &errors, &mapping);
    if (status != STATUS_OK) {
        assert(mapping == NULL && errors.count > 0 && errors.list[0].line > 0);
        return 0;
    }
    assert(errors.count == 0 && mapping->field_count <= FEED_FIELDS_MAX);
    check_values(mapping, &mapping->values);
    check_values(mapping, &mapping->changed);
    check_values(mapping, &mapping->gone);
    check_conditions(mapping, &mapping->ours);
    check_conditions(mapping, &mapping->skip);
    for (size_t i = 0; i < mapping->event_count; i++) {
        assert(mapping->events[i].type != NULL);
        check_values(mapping, &mapping->events[i].values);
        check_conditions(mapping, &mapping->events[i].when);
    }
    feed_mapping_free(&mapping);
    return 0;
}
