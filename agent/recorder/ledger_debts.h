#pragma once

#include "agent/recorder/sealer_session.h"
#include "storage/spool.h"

#include <glib.h>
#include <stdbool.h>

/* Gaps, clocks and ends of sessions on their way into the spool, kept while it can not take them: a
 * disk that fails for a while must not leave a hole in a timeline that nothing tells of. Gaps in a
 * row of one track and reason become one, so that a long failure costs no memory. The sealer's
 * thread. */
typedef struct LedgerDebts LedgerDebts;

/* `spool`: borrowed. */
LedgerDebts *ledger_debts_new(Spool *spool);

/* Appends to the spool, or keeps a copy where that fails and may pass, or where more is owed
 * already: the order stays. Returns: false sets `error`, which is to be told. */
bool ledger_debts_add_gap(LedgerDebts *self, const char *session, const LedgerGap *gap,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool ledger_debts_add_clock(LedgerDebts *self, const char *session, const LedgerClock *clock,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `session` (borrowed until ledger_debts_pay() returns it) has ended. */
void ledger_debts_add_end(LedgerDebts *self, SealerSession *session);

/* Appends what is owed, then the ends, as far as the spool takes it; what no spool ever will is
 * dropped, with a word. `closed`: gets the sessions that have their end. Returns: false sets
 * `error`, and the rest is still owed. */
bool ledger_debts_pay(LedgerDebts *self, GPtrArray *closed,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ledger_debts_free(LedgerDebts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerDebts, ledger_debts_free)
