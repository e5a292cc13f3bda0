#include "proto/codes.h"

#define ENTRY(code, name) {code, name},

static const struct codes_entry forces[] = {
#include "proto/forces.def"
};

static const struct codes_entry prisons[] = {
#include "proto/prisons.def"
};

#define FORCE_COUNT  (sizeof forces / sizeof forces[0])
#define PRISON_COUNT (sizeof prisons / sizeof prisons[0])

static const char *find(const struct codes_entry *table, size_t count, struct byte_view code)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(code, bytes_of_string(table[middle].code));
        if (order == 0)
            return table[middle].name;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *codes_force_name(struct byte_view code)
{
    return find(forces, FORCE_COUNT, code);
}

const char *codes_prison_name(struct byte_view code)
{
    return find(prisons, PRISON_COUNT, code);
}

bool codes_is_force(struct byte_view code)
{
    return codes_force_name(code) != NULL;
}

bool codes_is_prison(struct byte_view code)
{
    return codes_prison_name(code) != NULL;
}

const struct codes_entry *codes_force_at(size_t index)
{
    return index < FORCE_COUNT ? &forces[index] : NULL;
}

const struct codes_entry *codes_prison_at(size_t index)
{
    return index < PRISON_COUNT ? &prisons[index] : NULL;
}
