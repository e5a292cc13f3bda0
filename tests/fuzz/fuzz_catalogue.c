/* Any bytes: refused with a place and a reason, or a catalogue whose indexes lead back to themselves. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "policy/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct yaml_errors errors;

static void check_event(const struct catalogue *catalogue, uint16_t index)
{
    const struct catalogue_event *event = &catalogue->events[index];
    struct byte_buffer text = bytes_buffer(4096);
    struct label_set labels;

    assert(catalogue_find_event(catalogue, bytes_of_string(event->type)) == index);
    assert(event->held < event->attribute_count && event->juvenile < event->attribute_count);
    assert(event->attribute_count <= CATALOGUE_ATTRIBUTES_MAX);
    for (uint16_t i = 0; i < event->item_count; i++) {
        uint16_t label = event->items[i].label;

        assert(label_set_has(&event->item_set, label) && label_set_has(&event->carried, label));
        assert((catalogue->labels[label].kind == KIND_CODE) == (event->items[i].codes != NULL));
        catalogue_check_value(catalogue, index, label, bytes_of_string("x"), NULL);
    }
    catalogue_format_labels(catalogue, &event->carried, &text);
    if (text.status == STATUS_OK) {
        assert(catalogue_parse_labels(catalogue, index, bytes_buffer_view(&text), &labels, NULL) ==
               STATUS_OK);
        assert(label_set_equal(&labels, &event->carried));
    }
    bytes_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalogue *catalogue = NULL;

    memset(&errors, 0, sizeof errors);
    if (catalogue_load(bytes_view(data, size), &errors, &catalogue) != STATUS_OK) {
        assert(catalogue == NULL && errors.count > 0 && errors.list[0].line > 0);
        return 0;
    }
    assert(errors.count == 0);
    for (uint16_t i = 0; i < catalogue->label_count; i++)
        assert(catalogue_find_label(catalogue, bytes_of_string(catalogue->labels[i].label)) == i);
    for (uint16_t i = 0; i < catalogue->event_count; i++)
        check_event(catalogue, i);
    catalogue_free(&catalogue);
    return 0;
}
