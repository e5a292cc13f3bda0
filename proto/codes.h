#pragma once

#include "base/bytes.h"

/* The police forces and prisons that a value may name. Tables: forces.def and prisons.def. */

/* codes_force_name - the police force with this two-digit code, such as "21"; NULL if there is none. */
const char *codes_force_name(struct byte_view code);

/* codes_prison_name - the prison with this code, such as "DGI"; NULL if there is none. */
const char *codes_prison_name(struct byte_view code);

bool codes_is_force(struct byte_view code);
bool codes_is_prison(struct byte_view code);

/* For pages that offer a choice: the entries in ascending order of code, until NULL. */
struct codes_entry {
    const char *code;
    const char *name;
};
const struct codes_entry *codes_force_at(size_t index);
const struct codes_entry *codes_prison_at(size_t index);
