#pragma once

#include "policy/paper.h"
#include "policy/protocol.h"
#include "proto/digest.h"

/*
 * Drafts for people to finish, written from what a protocol says: an entry for the record of processing
 * activities (UK GDPR Article 30, Data Protection Act 2018 s.61), and an impact assessment (Article 35,
 * s.64). Facts come from the file; what only people can know is a blank. Text or HTML; append; return
 * STATUS_NO_MEMORY or STATUS_TOO_LARGE.
 */
enum status draft_ropa(const struct protocol *protocol, const struct digest *digest, enum paper_form form,
                       struct byte_buffer *ret);
enum status draft_dpia(const struct protocol *protocol, const struct digest *digest, enum paper_form form,
                       struct byte_buffer *ret);
