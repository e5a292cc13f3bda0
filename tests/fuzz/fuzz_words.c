/*
 * Words that people and files write: times, dates, periods, ids of events and people, endpoints. Each is
 * refused, or comes out the same when written again. The first byte is the length of a date pattern that
 * comes before the word.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/settings.h"
#include "base/civil.h"
#include "broker/setup.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORD_MAX 512

static void check_times(const char *word)
{
    char again[CIVIL_DURATION_SIZE];
    struct duration duration;
    struct duration same;
    int64_t time = 0;
    int64_t back = 0;
    int32_t date = 0;
    int32_t day = 0;

    if (civil_parse_time(word, &time) == STATUS_OK) {
        civil_format_time(time, again);
        if (civil_parse_time(again, &back) != STATUS_OK || back != time)
            abort();
    }
    if (civil_parse_date(word, &date) == STATUS_OK) {
        civil_format_date(date, again);
        if (strcmp(again, word) != 0 || civil_parse_pattern("YYYY-MM-DD", word, &day) != STATUS_OK ||
            day != date)
            abort();
    }
    if (civil_parse_duration(word, &duration) == STATUS_OK) {
        civil_format_duration(duration, again);
        if (civil_parse_duration(again, &same) != STATUS_OK || same.months != duration.months ||
            same.ms != duration.ms)
            abort();
    }
}

static void check_ids(const char *word)
{
    char text[PSEUDONYM_TEXT];
    char id[UUID_TEXT_SIZE];
    struct pseudonym pseudonym;
    uint8_t event[UUID_SIZE];

    if (pseudonym_parse(word, &pseudonym) == STATUS_OK) {
        pseudonym_format(&pseudonym, text);
        if (strcmp(text, word) != 0)
            abort();
    }
    if (uuid_parse(bytes_of_string(word), event) == STATUS_OK) {
        uuid_format(event, id);
        if (strcmp(id, word) != 0)
            abort();
    }
    if (setup_check_endpoint(word) == STATUS_OK && strncmp(word, "tcp://", 6) != 0)
        abort();
    if (settings_check_endpoint(word) == STATUS_OK && strncmp(word, "tcp://", 6) != 0)
        abort();
}

static void check_pattern(const char *pattern, const char *word)
{
    int32_t date = 0;
    enum status status = civil_parse_pattern(pattern, word, &date);

    if ((status == STATUS_BAD_ARGUMENT) == civil_valid_pattern(pattern))
        abort();
    if (status == STATUS_OK &&
        (strlen(word) != strlen(pattern) || date < CIVIL_DATE_MIN || date > CIVIL_DATE_MAX))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char pattern[WORD_MAX] = "";
    char word[WORD_MAX] = "";
    size_t length = size > 0 ? data[0] : 0;

    if (size == 0 || length > size - 1 || size - 1 - length >= sizeof word)
        return 0;
    memcpy(pattern, data + 1, length);
    memcpy(word, data + 1 + length, size - 1 - length);
    check_times(word);
    check_ids(word);
    check_pattern(pattern, word);
    return 0;
}
