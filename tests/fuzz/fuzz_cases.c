/* Any bytes as a case file against the shipped protocol: refused with a place and a reason, or cases that can
 * be checked. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "policy/cases.h"
#include "policy/coverage.h"
#include "policy/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct yaml_errors errors;
static struct files files;
static struct coverage *coverage;
static struct policy_decision decision;

static void open_files(void)
{
    struct byte_buffer told = bytes_buffer(65536);

    if (files.protocol != NULL)
        return;
    if (files_open(PROJECT_ROOT "/policy/catalogue.yaml", PROJECT_ROOT "/policy/staffordshire-ppo.yaml",
                   &files, &told) != STATUS_OK ||
        (coverage = coverage_new(files.protocol)) == NULL)
        abort();
    bytes_buffer_free(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer text = bytes_buffer((size_t)1 << 20);
    struct cases_files names;
    struct cases *cases = NULL;

    open_files();
    memset(&errors, 0, sizeof errors);
    if (cases_name_files(bytes_view(data, size), &errors, &names) == STATUS_OK)
        assert(names.protocol[0] != '\0' && names.catalogue[0] != '\0' && errors.count == 0);
    memset(&errors, 0, sizeof errors);
    if (cases_load(bytes_view(data, size), files.protocol, &errors, &cases) != STATUS_OK) {
        assert(cases == NULL && errors.count > 0 && errors.list[0].line > 0);
        return 0;
    }
    assert(errors.count == 0 && cases->count > 0);
    for (uint16_t i = 0; i < cases->count; i++) {
        bool same;

        bytes_buffer_clear(&text);
        same = cases_check(files.protocol, &cases->list[i], &decision, &text);
        assert(text.status == STATUS_OK && same == (text.size == 0));
        coverage_add(coverage, &cases->list[i].request, &decision);
    }
    bytes_buffer_free(&text);
    cases_free(&cases);
    return 0;
}
