#pragma once

#include "audit/report.h"

/* Each in a file of its own name. */
extern const struct report report_disclosures;
extern const struct report report_refusals;
extern const struct report report_late;
extern const struct report report_corrections;
extern const struct report report_juveniles;
extern const struct report report_overrides;
extern const struct report report_retention;
extern const struct report report_unusual;
extern const struct report report_subject_access;
extern const struct report report_breach_pack;
extern const struct report report_consents;
extern const struct report report_ropa;
extern const struct report report_digest;
extern const struct report report_executive;
extern const struct report report_quarterly;
extern const struct report report_measures;
