/*
 * The protocol of arbitration and custody: settle, take-over, site out and in, owed copies, repair,
 * erasure. docs/decisions/0036 says what it covers and what it leaves out; model-runs.ts has the
 * bounds and the mutants. An action has the name of the function that implements it.
 *
 * A process may pause between any two steps for as long as it likes. So a frozen router needs no
 * step of its own: another worker takes its partition over meanwhile. A fenced worker may also
 * forget everything at any time, which is a killed router.
 */

/* Bounds; a run sets others. */
#ifndef PARTITIONS
#define PARTITIONS 2
#endif
#ifndef LENGTH
#define LENGTH 1 /* records of a partition, at most 2 */
#endif
#define RECORDS (PARTITIONS * LENGTH)
#ifndef IDENTITIES
#define IDENTITIES 1
#endif
#ifndef WORKERS
#define WORKERS 2 /* of a partition: with 2, one may be a zombie */
#endif
#ifndef MOVES
#define MOVES 1 /* times that a worker takes a partition from another */
#endif
#ifndef FORGETS
#define FORGETS 0 /* transactions that a broker leaves undecided */
#endif
#ifndef LOSSES
#define LOSSES 0 /* objects that a site loses; another site has a copy */
#endif
#ifndef AWAYS
#define AWAYS 0 /* times that a site goes away; 100: the later site is away from the start */
#endif
#ifndef CHANGES
#define CHANGES 0 /* runs of `site out` */
#endif
#ifndef ABORTS
#define ABORTS 0
#endif
#ifndef CUSTODIANS
#define CUSTODIANS 0
#endif
#ifndef ERASURES
#define ERASURES 0
#endif
#ifndef LATE_PUTS
#define LATE_PUTS 0 /* what routers that froze before the last change still write to site 0 */
#endif
/* AFTER_CHANGE: it begins after `site out` and `site in`. SITE_IN: `site in` follows `site out`. */

/* In a partition with two identities, the other partition has them in opposite order. */
#if IDENTITIES == 1
#define ID(r) 0
#else
#define ID(r) (((r) / LENGTH + (r) % LENGTH) % 2)
#endif

/* A site's content for one identity. An object names its record, the attempt that sealed it and
   the arbiter's number at that time. The worker that sealed it stands for the attempt. */
#define ABSENT 0
#define TOMBSTONE 1
#define sealedBy(r, w, number) (2 + (r) * 2 + (w) + 64 * (number))
#define isObject(v) ((v) > TOMBSTONE)
#define recordOf(v) ((((v) & 63) - 2) >> 1)
#define numberOf(v) ((v) >> 6)
#define isOwn(v, r) (isObject(v) && recordOf(v) == (r))
byte object[2 * IDENTITIES];
#define at(s, i) object[(s) * IDENTITIES + (i)]

byte samples; /* one bit a record: which of two samples it has */
#define sample(r) ((samples >> (r)) & 1)
#define isSame(q, r) (sample(q) == sample(r))

/* What must be true. The checker prints the name; the variable is 0 and no state. */
#define promise(name, condition) assert(name || (condition))
hidden byte one_outcome, stored_once, progress_explained, tombstone_kept, gone_after_erased;
hidden byte everything_settles, duplicate_leads_to_stored, conflict_leads_to_stored;
hidden byte identity_stored, refused_as_erased_after_order, erased_everywhere, stored_is_there;
hidden byte debts_paid, placed_is_one_ciphertext, one_owner_named;

/* The audit log. */
#define UNSETTLED 0
#define STORED 1
#define ERASED 2
#define duplicateOf(q) (4 + (q))
#define conflictWith(q) (12 + (q))
byte outcome[RECORDS];
byte sealed[RECORDS];  /* of a stored record: the object that its event names */
bool placed[RECORDS];  /* its event names the later site too, or `copied` does */
bool owes[RECORDS];    /* its event says `owed` */
byte settled[PARTITIONS];
#define isDuplicate(q) (outcome[q] >= 4 && outcome[q] < 12)
#define isConflict(q) (outcome[q] >= 12)
#define namedBy(v) (((v) - 4) & 7)
#define named(q) (outcome[q] >= 4 -> namedBy(outcome[q]) : (q))
/* The owner of the identity as the events say it: a duplicate and a conflict both name it. */
#define ownerBy(q) named(named(q))
#ifdef CONFLICT_LEADS_NOWHERE
#define hop(q) (isDuplicate(q) -> namedBy(outcome[q]) : (q))
#else
#define hop(q) named(q)
#endif
#define leadsTo(q) hop(hop(q))
#define isStored(q) (outcome[leadsTo(q)] == STORED)
/* It is settled, and its events lead to nothing stored, or to r. */
#define isVoid(q, r) (leadsTo(q) == (r) || outcome[leadsTo(q)] == ERASED || isConflict(leadsTo(q)))

/* Transactions: one record each. */
byte pending[PARTITIONS], pendingSealed[PARTITIONS];
bool pendingPlaced[PARTITIONS], pendingOwes[PARTITIONS];
#if FORGETS > 0
byte dangling[PARTITIONS], danglingSealed[PARTITIONS];
bool aborted[PARTITIONS]; /* the next record has an aborted event */
#ifdef ABORTED_UNREAD
#define explained(p) false
#else
#define explained(p) (aborted[p] && committed[p] == settled[p] + 1)
#endif
#define undecided(p) (dangling[p] != UNSETTLED)
#else
#define undecided(p) false
#define explained(p) false
#endif
byte committed[PARTITIONS]; /* the group's position */
#define NOBODY 9
#define COMMAND 8
byte owner[PARTITIONS]; /* who fenced last */

/* residency.control */
byte closing; /* the change that is open; 0: none */
bool arbiter, siteOutOfService;
#define laterInService (!siteOutOfService)
#define inService(s) ((s) == arbiter || laterInService)
byte claims[IDENTITIES]; /* 1 + the record that a claim names */
bool resumed;

bool away[2];
byte moves = MOVES, forgets = FORGETS, losses = LOSSES, aways = AWAYS, erasures = ERASURES;
byte latePuts = LATE_PUTS, aborts = ABORTS;

/* Custody. */
bool ordered[IDENTITIES], erased[IDENTITIES];
byte custodian; /* who fenced last */
byte noted;     /* records that a custodian has read, for a mutant */
bool quiet;     /* the world takes nothing away any more */
byte storedBy[IDENTITIES]; /* 1 + the stored record */
bool stays;     /* the site that is away does not come back by itself */
byte phase;

/* ---- settle ---- */

inline appendEvent(p, result, object_, placed_, owes_) {
  k = p * LENGTH + settled[p];
  promise(one_outcome, settled[p] < LENGTH && outcome[k] == UNSETTLED);
  outcome[k] = result;
  if
  :: result == STORED ->
     q = 0;
     do
     :: q < RECORDS ->
        promise(stored_once, q == k || ID(q) != ID(k) || outcome[q] != STORED);
        q++
     :: else -> break
     od;
     storedBy[ID(k)] = 1 + k;
     sealed[k] = object_; placed[k] = placed_; owes[k] = owes_
  :: else
  fi;
  settled[p]++;
  q = 0
}

/* Kafka: a commit also commits what an earlier transaction of the same id left undecided. */
inline commit() {
#if FORGETS > 0
  if
  :: undecided(p) -> appendEvent(p, dangling[p], danglingSealed[p], 0, 0); dangling[p] = UNSETTLED
  :: else
  fi;
#endif
  appendEvent(p, pending[p], pendingSealed[p], pendingPlaced[p], pendingOwes[p]);
#if FORGETS > 0
  aborted[p] = false;
#endif
  committed[p] = settled[p];
  pending[p] = UNSETTLED; pendingSealed[p] = 0; pendingPlaced[p] = 0; pendingOwes[p] = 0
}

inline fence(p, who) {
  owner[p] = who;
  if
  :: pending[p] != UNSETTLED ->
#if FORGETS > 0
     if
     :: true
     :: forgets > 0 ->
        forgets--;
        dangling[p] = pending[p]; danglingSealed[p] = pendingSealed[p];
        if
        :: committed[p] = settled[p] + 1
        :: true
        fi
     fi;
#endif
     pending[p] = UNSETTLED; pendingSealed[p] = 0; pendingPlaced[p] = 0; pendingOwes[p] = 0
  :: else
  fi
}

/* An abort of the same producer ends what a broker left undecided. */
inline endDangling(p) {
#if FORGETS > 0
#ifndef NO_SWEEP
  if
  :: dangling[p] != UNSETTLED ->
     dangling[p] = UNSETTLED; danglingSealed[p] = 0; aborted[p] = true
  :: else
  fi
#endif
#endif
  skip
}

/* PROGRESS_DIFFERS stops a router for a person, unless aborted events explain the position. */
inline progressOf(p) {
#ifndef NO_SWEEP
  promise(progress_explained, committed[p] <= settled[p] || explained(p))
#else
  skip
#endif
}

/* ---- place ---- */

#define TODO 0
#define OWN 1        /* it owns the identity at the arbiter */
#define FOUND 2      /* the arbiter names another record */
#define UNDECIDED 3  /* that one is not settled: look at the later site */
#define STRANGER 4   /* it owns the identity; the later site has another record's object */
#define BESIDE 5     /* it does not own it; the later site has a third record's object */
#define PLACED 6

/* The steps of one record, o: its number in the partition, r: its position. */
#define rec(o) (p * LENGTH + (o))
#define mine(o) sealedBy(rec(o), w, myArbiter)
#define waitsBehind(o) (o > next && step[0] != PLACED && ID(p * LENGTH) == ID(p * LENGTH + o))
#define claimedBy(r) (claims[ID(r)] == 1 + (r))
#define strangerAtArbiter(r) (isObject(at(myArbiter, ID(r))) && !isOwn(at(myArbiter, ID(r)), r))
#ifdef CLAIMED_AS_PRESENT
#define mustWaitForCustodian(r) false
#else
#define mustWaitForCustodian(r) (claimedBy(r) && strangerAtArbiter(r))
#endif
#define isSettling(q, r) ((q) / LENGTH == p && (q) < (r))
#define isBehind(q, r) ((q) / LENGTH == p && (q) > (r))
#define otherSite (1 - myArbiter)

/* Whether a stranger that is not settled can still be committed as stored. It cannot if it follows
   in this partition, or if it was written under an earlier arbiter: its router is fenced since. */
#ifdef UNSETTLED_NEVER_WAITS
#define mayStillSettle(v, r) false
#else
#ifdef NUMBER_IGNORED
#define mayStillSettle(v, r) (outcome[leadsTo(recordOf(v))] == UNSETTLED && leadsTo(recordOf(v)) != (r) && !isBehind(recordOf(v), r))
#else
#define mayStillSettle(v, r) (outcome[leadsTo(recordOf(v))] == UNSETTLED && leadsTo(recordOf(v)) != (r) && !isBehind(recordOf(v), r) && numberOf(v) == myArbiter)
#endif
#endif

inline conclude(o, result_) {
  step[o] = PLACED; result[o] = result_; beside[o] = 0
}

/* `stored`; both: the later site has the arbiter's object. */
inline store(o, both) {
  step[o] = PLACED; result[o] = STORED; beside[o] = 0;
  inBoth[o] = both
}

inline judgeBy(o, q) {
  if
  :: isSame(q, rec(o)) -> conclude(o, duplicateOf(q)); head[o] = 0
  :: else -> conclude(o, conflictWith(q)); head[o] = 0
  fi
}

/* Create-only: the object that is there stays. */
inline create(s, i, seen, fresh) {
  seen = at(s, i);
  if
  :: seen == ABSENT ->
     promise(gone_after_erased, !erased[i] || !inService(s) || losses < LOSSES);
     at(s, i) = fresh; seen = fresh
  :: else ->
#ifdef ROUTER_OVERWRITES
     promise(tombstone_kept, seen != TOMBSTONE); at(s, i) = fresh; seen = fresh
#else
     skip
#endif
  fi
}

/* Tombstone before claim before object. */
inline atArbiter(o) {
  later[o] = laterInService;
  if
  :: at(myArbiter, ID(rec(o))) == TOMBSTONE -> conclude(o, ERASED)
  :: else ->
     if
     :: claims[ID(rec(o))] != 0 && myArbiter == 1 && !claimedBy(rec(o)) ->
        head[o] = sealedBy(claims[ID(rec(o))] - 1, 0, 0); step[o] = FOUND
#ifdef CLAIMED_AS_PRESENT
     :: claims[ID(rec(o))] != 0 && myArbiter == 1 && claimedBy(rec(o)) -> head[o] = mine(o); step[o] = OWN
#else
     :: claims[ID(rec(o))] != 0 && myArbiter == 1 && claimedBy(rec(o)) ->
        create(myArbiter, ID(rec(o)), head[o], mine(o)); step[o] = OWN
#endif
     :: else ->
        create(myArbiter, ID(rec(o)), head[o], mine(o));
        if
        :: isOwn(head[o], rec(o)) -> step[o] = OWN
        :: else -> step[o] = FOUND
        fi
     fi
  fi
}

/* Another record has the identity at the arbiter. */
#define atFirstSiteReady(o) \
  (isSame(recordOf(head[o]), rec(o)) || !isVoid(recordOf(head[o]), rec(o)) || isSettling(recordOf(head[o]), rec(o)) || at(myArbiter, ID(rec(o))) != head[o])
inline atFirstSite(o) {
  if
  :: isStored(recordOf(head[o])) -> q = leadsTo(recordOf(head[o])); judgeBy(o, q)
  :: !isStored(recordOf(head[o])) && isVoid(recordOf(head[o]), rec(o)) ->
     if
     :: isSame(recordOf(head[o]), rec(o)) -> step[o] = OWN /* adopted */
     :: else -> step[o] = TODO; head[o] = 0 /* the custodian has changed it: once more */
     fi
  :: !isStored(recordOf(head[o])) && !isVoid(recordOf(head[o]), rec(o)) ->
     if
     :: isSettling(recordOf(head[o]), rec(o)) ->
        /* It precedes this record in its batch: its result decides. */
        q = recordOf(head[o]);
#ifndef EARLIER_COUNTS_AS_STORED
        if
        :: result[0] >= 4 -> q = namedBy(result[0])
        :: else
        fi;
#endif
        judgeBy(o, q)
     :: else -> step[o] = UNDECIDED
     fi
  fi;
  q = 0
}

/* The owner is not settled. If the later site contradicts the arbiter, it may become a duplicate
   or a conflict itself. A later site that is away is not waited for: the owner may be settled
   without it too. */
/* Only an owner writes the later site. So an object of this record there, under this arbiter, proves
   that the arbiter had it and lost it, and settled events may name it: it is stored with that
   object, and the arbiter's copy is owed. */
#ifdef OWN_COPY_IGNORED
#define ownedBefore(o) false
#else
#define ownedBefore(o) (isOwn(at(otherSite, ID(rec(o))), rec(o)) && numberOf(at(otherSite, ID(rec(o)))) == myArbiter)
#endif
#ifdef WAITS_FOR_LATER_COPY
#define laterHeadsReady(o) (!later[o] || (!away[otherSite] && at(otherSite, ID(rec(o))) != ABSENT) || outcome[recordOf(head[o])] != UNSETTLED)
#else
#ifdef WAITS_FOR_SETTLEMENT
#define laterHeadsReady(o) (outcome[recordOf(head[o])] != UNSETTLED)
#else
#define laterHeadsReady(o) true
#endif
#endif
inline laterHeads(o) {
  if
#ifndef OWN_COPY_IGNORED
  :: later[o] && !away[otherSite] && ownedBefore(o) ->
     head[o] = at(otherSite, ID(rec(o))); store(o, 0)
#endif
  :: !later[o] || away[otherSite] || !ownedBefore(o) && (!isObject(at(otherSite, ID(rec(o)))) || isOwn(at(otherSite, ID(rec(o))), recordOf(head[o])) || isOwn(at(otherSite, ID(rec(o))), rec(o))) ->
     q = recordOf(head[o]); judgeBy(o, q)
  :: else ->
#ifdef LATER_SITE_NOT_ASKED
     q = recordOf(head[o]); judgeBy(o, q)
#else
     beside[o] = at(otherSite, ID(rec(o))); step[o] = BESIDE
#endif
  fi;
  q = 0
}

#define besideReady(o) (!mayStillSettle(beside[o], rec(o)) || outcome[recordOf(head[o])] != UNSETTLED)
inline judgeBeside(o) {
  if
  :: outcome[recordOf(head[o])] != UNSETTLED -> step[o] = FOUND; beside[o] = 0
  :: outcome[recordOf(head[o])] == UNSETTLED && isStored(recordOf(beside[o])) -> q = leadsTo(recordOf(beside[o])); judgeBy(o, q)
  :: outcome[recordOf(head[o])] == UNSETTLED && !isStored(recordOf(beside[o])) -> q = recordOf(head[o]); judgeBy(o, q)
  fi;
  q = 0
}

/* It owns the identity: the later site. Only the attempt that made the arbiter's object has its
   ciphertext, so a second attempt owes the copy. */
inline atLaterSite(o) {
  if
  :: !later[o] || away[otherSite] -> store(o, 0)
  :: else ->
#ifdef OTHER_CIPHERTEXT
     create(otherSite, ID(rec(o)), beside[o], mine(o));
#else
     if
     :: head[o] == mine(o) -> create(otherSite, ID(rec(o)), beside[o], mine(o))
     :: else -> beside[o] = at(otherSite, ID(rec(o)))
     fi;
#endif
     if
     :: beside[o] == TOMBSTONE -> conclude(o, ERASED); head[o] = 0
     :: beside[o] == head[o] -> store(o, 1)
#ifdef OTHER_CIPHERTEXT
     :: beside[o] != head[o] && isOwn(beside[o], rec(o)) -> store(o, 1)
#else
     :: beside[o] != head[o] && isOwn(beside[o], rec(o)) -> store(o, 0)
#endif
     :: beside[o] == ABSENT -> store(o, 0)
     :: else -> step[o] = STRANGER
     fi
  fi
}

#define strangerReady(o) (!mayStillSettle(beside[o], rec(o)))
inline judgeStranger(o) {
  if
#ifdef LATER_SITE_DECIDES
  :: true -> q = recordOf(beside[o]); judgeBy(o, q)
#else
  :: isStored(recordOf(beside[o])) -> q = leadsTo(recordOf(beside[o])); judgeBy(o, q)
  :: else -> store(o, 0)
#endif
  fi;
  q = 0
}


/* One step of placing record o. A fenced worker decides nothing; what it still writes matters. */
#define PLACE(o) \
  :: atomic { step[o] == TODO && o >= next && !away[myArbiter] && !waitsBehind(o) && !mustWaitForCustodian(rec(o)) -> atArbiter(o) } \
  :: atomic { step[o] == OWN -> atLaterSite(o) } \
  :: atomic { step[o] == FOUND && owner[p] == w && atFirstSiteReady(o) -> atFirstSite(o) } \
  :: atomic { step[o] == UNDECIDED && owner[p] == w && laterHeadsReady(o) -> laterHeads(o) } \
  :: atomic { step[o] == BESIDE && owner[p] == w && besideReady(o) -> judgeBeside(o) } \
  :: atomic { step[o] == STRANGER && owner[p] == w && strangerReady(o) -> judgeStranger(o) }

inline forget() {
  q = 0;
  do
  :: q < LENGTH -> step[q] = TODO; head[q] = 0; beside[q] = 0; result[q] = 0; later[q] = 0; inBoth[q] = 0; q++
  :: else -> break
  od;
  q = 0; k = 0; next = 0; myArbiter = 0
}

#ifdef RESUME_ENDS_CHANGE
#define mayRoute (closing == 0 || resumed)
#else
#define mayRoute (closing == 0)
#endif
#ifdef COMMITS_FENCED
#define mayCommit true
#else
#define mayCommit (owner[p] == w)
#endif

#define mayTake (settled[p] < LENGTH && (owner[p] == NOBODY || owner[p] == COMMAND || (owner[p] != w && moves > 0)))
inline takePartition() {
  if
  :: owner[p] < COMMAND -> moves--
  :: else
  fi;
  fence(p, w)
}

proctype PartitionWorker(byte p; byte w) {
  byte step[LENGTH], head[LENGTH], beside[LENGTH], result[LENGTH];
  bool later[LENGTH], inBoth[LENGTH];
  byte next, q, k;
  bool myArbiter;

end_takeOver:
#ifdef CONTROL_BEFORE_FENCE
  atomic { mayTake && mayRoute -> myArbiter = arbiter };
end_fence:
  atomic { mayTake -> takePartition() };
#else
  atomic { mayTake -> takePartition() };
#endif
  atomic {
    if
    :: owner[p] == w -> endDangling(p); progressOf(p); next = settled[p]
    :: else -> goto end_takeOver
    fi
  };
#ifndef CONTROL_BEFORE_FENCE
end_readControl:
  if
  :: atomic { owner[p] == w && mayRoute -> myArbiter = arbiter }
  :: atomic { owner[p] != w -> next = 0; goto end_takeOver }
  fi;
#endif
end_route:
  do
  PLACE(0)
#if LENGTH > 1
  PLACE(1)
#endif
  :: atomic { next < LENGTH && step[next] == PLACED && mayCommit && pending[p] == UNSETTLED ->
       pending[p] = result[next];
       pendingSealed[p] = (result[next] == STORED -> head[next] : 0);
       pendingPlaced[p] = inBoth[next];
       pendingOwes[p] = (result[next] == STORED && later[next] && !inBoth[next]) }
  :: atomic { pending[p] != UNSETTLED && mayCommit -> commit(); next++ }
  :: atomic { owner[p] != w -> forget(); goto end_takeOver }
  :: atomic { next == LENGTH -> forget(); break }
  od
}

/* ---- site out, site in ---- */

inline takeOver(p) {
  atomic { fence(p, COMMAND) };
  atomic {
    if
    :: owner[p] == COMMAND -> endDangling(p); progressOf(p)
    :: else /* a router took it: it does the same */
    fi
  }
}

/* The owner of identity i: the stored record, or the one that a settled event names. */
inline ownerOf(i, found) {
  found = 0; q = 0;
  do
  :: q < RECORDS ->
     if
     :: ID(q) == i && outcome[q] == STORED -> found = 1 + q; break
#ifndef CLAIMS_ONLY_STORED
     :: ID(q) == i && isDuplicate(q) && outcome[namedBy(outcome[q])] == UNSETTLED ->
        promise(one_owner_named, found == 0 || found == namedBy(outcome[q]) + 1);
        found = namedBy(outcome[q]) + 1
     :: ID(q) == i && isConflict(q) && outcome[namedBy(outcome[q])] == UNSETTLED ->
        promise(one_owner_named, found == 0 || found == namedBy(outcome[q]) + 1);
        found = namedBy(outcome[q]) + 1
#endif
     :: else
     fi;
     q++
  :: else -> break
  od;
  q = 0
}

inline writeClaim(i) {
  ownerOf(i, named);
  if
  :: named != 0 && at(1, i) != TOMBSTONE && !isOwn(at(1, i), named - 1) ->
     at(1, i) = ABSENT; /* a stranger is set aside */
     mine_[i] = named
  :: else
  fi;
  named = 0
}

inline siteIn() {
  atomic {
    arbiter && siteOutOfService ->
#ifdef SITE_IN_WITHOUT_TOMBSTONES
    at(0, 0) = ABSENT;
#else
    at(0, 0) = (erased[0] -> TOMBSTONE : ABSENT);
#endif
#if IDENTITIES > 1
    at(0, 1) = (erased[1] -> TOMBSTONE : ABSENT);
#endif
    away[0] = 0; siteOutOfService = 0;
    q = 0;
    do
    :: q < RECORDS ->
       placed[q] = 0;
       owes[q] = (outcome[q] == STORED); /* a campaign for what is stored by now */
       q++
    :: else -> break
    od;
    q = 0
  }
}

#if CHANGES > 0
proctype siteOut(byte change) {
  byte mine_[IDENTITIES], named, q, k;

end_closing:
  atomic { closing == 0 && !arbiter -> closing = change };
#ifndef CHANGE_WITHOUT_FENCE
  takeOver(0);
#if PARTITIONS > 1
  takeOver(1);
#endif
#endif
  atomic {
    !undecided(0) && !undecided(PARTITIONS - 1) -> /* the audit log's end */
#ifndef CLAIMS_LEFT_OUT
    writeClaim(0);
#if IDENTITIES > 1
    writeClaim(1);
#endif
#endif
    skip
  };
  atomic {
    if
#ifdef ORDER_AFTER_ABORT
    :: !arbiter ->
#else
    :: closing == change && !arbiter ->
#endif
       claims[0] = mine_[0];
#if IDENTITIES > 1
       claims[1] = mine_[1];
#endif
       arbiter = 1; siteOutOfService = 1; closing = 0; resumed = 0
    :: else /* not this change's any more: every reader ignores the order */
    fi;
    mine_[0] = 0
  };
#ifdef SITE_IN
  siteIn()
#endif
}
#endif

/* ---- custody ---- */

#define holding(i) sealed[storedBy[i] - 1]
#ifdef ARBITER_IS_THE_TRUTH
#define truth(i) (isObject(at(arbiter, i)) -> at(arbiter, i) : holding(i))
#define settledTwice(s, i) false
#else
#define truth(i) holding(i)
#endif
#define isGood(s, i) (at(s, i) == truth(i) && inService(s) && !away[s])
#ifndef settledTwice
#define settledTwice(s, i) (isObject(at(s, i)) && recordOf(at(s, i)) != storedBy[i] - 1 && outcome[recordOf(at(s, i))] == STORED)
#endif
#ifdef DEBT_FORGOTTEN
#define knows(i) (c == 0 || (noted & (1 << (i))) == 0)
#else
#ifdef OWED_ONLY_AS_SAID
#define knows(i) (owes[storedBy[i] - 1])
#else
#define knows(i) true
#endif
#endif
/* Site s of the region lacks the ciphertext that the event names, and the other has it. */
#define needsCopy(s, i) \
  (custodian == c && copy == 0 && storedBy[i] != 0 && !ordered[i] && inService(s) && !away[s] && at(s, i) != truth(i) && at(s, i) != TOMBSTONE && isGood(1 - (s), i) && !settledTwice(s, i) && knows(i))
#define isDue(i) (custodian == c && storedBy[i] != 0 && !ordered[i] && laterInService && !placed[storedBy[i] - 1] && isGood(0, i) && isGood(1, i))
#ifdef TOMBSTONES_ONLY_WHERE_OBJECTS
#define needsTombstone(s, i) (custodian == c && ordered[i] && inService(s) && !away[s] && isObject(at(s, i)))
#define isErased(s, i) (!inService(s) || !away[s] && !isObject(at(s, i)))
#else
#define needsTombstone(s, i) (custodian == c && ordered[i] && inService(s) && !away[s] && at(s, i) != TOMBSTONE)
#define isErased(s, i) (!inService(s) || at(s, i) == TOMBSTONE)
#endif
#ifdef REPLACES_UNCONDITIONALLY
#define asSeen true
#else
#define asSeen (at(target, what) == seen)
#endif

#define CARE(s, i) \
  :: atomic { needsCopy(s, i) -> copy = truth(i); seen = at(s, i); target = s; what = i } \
  :: atomic { needsTombstone(s, i) -> at(s, i) = TOMBSTONE }
#define CLOSE(i) \
  :: atomic { isDue(i) -> placed[storedBy[i] - 1] = 1 } \
  :: atomic { custodian == c && ordered[i] && !erased[i] && isErased(0, i) && isErased(1, i) -> erased[i] = 1 } \
  :: atomic { custodian == c && claims[i] != 0 && strangerAt(1, i, claims[i] - 1) && outcome[claims[i] - 1] == UNSETTLED && !away[1] -> at(1, i) = ABSENT }
#define strangerAt(s, i, r) (isObject(at(s, i)) && !isOwn(at(s, i), r))

#if CUSTODIANS > 0
proctype Custodian(byte c) {
  byte copy, seen;
  bool target, what;

end_custody:
  do
  :: atomic { c != 0 && custodian == 0 && !quiet -> custodian = c }
#ifdef DEBT_FORGOTTEN
  :: atomic { c == 0 && custodian == 0 && storedBy[0] != 0 && noted == 0 -> noted = 1 }
#endif
  CARE(0, 0)
  CARE(1, 0)
  CLOSE(0)
#if IDENTITIES > 1
  CARE(0, 1)
  CARE(1, 1)
  CLOSE(1)
#endif
  :: atomic { copy != 0 && !away[target] ->
       if
       :: asSeen ->
          promise(tombstone_kept, at(target, what) != TOMBSTONE);
          promise(gone_after_erased, !erased[what] || !inService(target) || losses < LOSSES);
          at(target, what) = copy
       :: else
       fi;
       copy = 0; seen = 0; target = 0; what = 0 }
  od
}
#endif

/* ---- the world ---- */

#define mayLose(s, i) (losses > 0 && !quiet && at(s, i) != ABSENT && at(0, i) == at(1, i) && laterInService)
#define LOSE(s, i) :: atomic { mayLose(s, i) -> losses--; at(s, i) = ABSENT }
#define WRITE_LATE(r) \
  :: atomic { latePuts > 0 && arbiter && laterInService && at(0, ID(r)) == ABSENT -> at(0, ID(r)) = sealedBy(r, 0, 0); latePuts-- }

#if LOSSES > 0 || AWAYS > 0 || LATE_PUTS > 0 || ABORTS > 0 || ERASURES > 0 || defined(RESUME_ENDS_CHANGE)
#define WORLD
proctype World() {
end_world:
  do
#if LOSSES > 0
  LOSE(0, 0)
  LOSE(1, 0)
#if IDENTITIES > 1
  LOSE(0, 1)
  LOSE(1, 1)
#endif
#endif
#if AWAYS > 0
  :: atomic { aways > 0 && !quiet && !away[0] && !away[1] -> aways--; away[1] = 1 }
  :: atomic { aways > 0 && !quiet && !away[0] && !away[1] -> aways--; away[1] = 1; stays = 1 }
  :: atomic { away[1] && !stays -> away[1] = 0 }
#endif
#if LATE_PUTS > 0
  WRITE_LATE(0)
  WRITE_LATE(1)
#if RECORDS > 2
  WRITE_LATE(2)
  WRITE_LATE(3)
#endif
#endif
#if ABORTS > 0
  :: atomic { aborts > 0 && closing != 0 -> aborts--; closing = 0 }
#endif
#ifdef RESUME_ENDS_CHANGE
  :: atomic { closing != 0 && !resumed -> resumed = 1 }
#endif
#if ERASURES > 0
  :: atomic { erasures > 0 && !quiet && storedBy[0] != 0 && !ordered[0] -> erasures--; ordered[0] = 1 }
  :: atomic { erasures > 0 -> erasures = 0 }
#endif
  od
}
#endif

/* ---- what must be true once nothing moves ---- */

inline checkSettled() {
  r = 0;
  do
  :: r < RECORDS -> promise(everything_settles, outcome[r] != UNSETTLED); r++
  :: else -> break
  od;
  r = 0
}

inline checkOutcomes() {
  r = 0;
  do
  :: r < RECORDS ->
     promise(duplicate_leads_to_stored, !isDuplicate(r) || outcome[ownerBy(r)] == STORED && isSame(ownerBy(r), r));
     promise(conflict_leads_to_stored, !isConflict(r) || outcome[ownerBy(r)] == STORED && !isSame(ownerBy(r), r));
     promise(identity_stored, storedBy[ID(r)] != 0);
     promise(refused_as_erased_after_order, outcome[r] != ERASED || ordered[ID(r)]);
     r++
  :: else -> break
  od;
  r = 0
}

/* With accept-loss a sample may be gone with the site that is out; its identity is not. */
#define isLost(i) (at(arbiter, i) != holding(i) && (!laterInService || at(1 - arbiter, i) != holding(i)))
inline checkHolding(i) {
  if
  :: ordered[i] ->
     promise(erased_everywhere, erased[i] && at(arbiter, i) == TOMBSTONE && (!laterInService || !isObject(at(1 - arbiter, i))))
  :: else ->
     promise(stored_is_there, numberOf(holding(i)) != arbiter || !isLost(i));
#if CUSTODIANS == 0 && LOSSES == 0
     promise(placed_is_one_ciphertext, !placed[storedBy[i] - 1] || arbiter || at(0, i) == at(1, i));
#endif
#if CUSTODIANS > 0
     if
     :: !isLost(i) ->
        promise(debts_paid, at(arbiter, i) == holding(i) && (!laterInService || at(1 - arbiter, i) == holding(i) && placed[storedBy[i] - 1]))
     :: else
     fi
#endif
  fi
}

proctype Oracle() {
  byte r;
  timeout -> /* a site that is away stays away */
  d_step {
    if
    :: !away[arbiter] -> checkSettled()
    :: else
    fi
  };
  atomic { quiet = 1; away[0] = 0; away[1] = 0; stays = 0 };
  timeout ->
  d_step {
    checkSettled();
    checkOutcomes();
    checkHolding(0);
#if IDENTITIES > 1
    checkHolding(1)
#endif
  }
}

init {
  byte i, j;
  atomic {
    i = 1;
    do
    :: i < RECORDS ->
       if
       :: samples = samples | (1 << i)
       :: true
       fi;
       i++
    :: else -> break
    od;
    i = 0;
#ifdef AFTER_CHANGE
    arbiter = 1;
#endif
#if AWAYS == 100
    away[1] = 1; stays = 1; aways = 0;
#endif
    do
    :: i < PARTITIONS ->
       owner[i] = NOBODY;
       j = 0;
       do
       :: j < WORKERS -> run PartitionWorker(i, j); j++
       :: else -> break
       od;
       i++
    :: else -> break
    od;
#if CHANGES > 0
    run siteOut(1);
#endif
#if CHANGES > 1
    run siteOut(2);
#endif
#if CUSTODIANS > 0
    run Custodian(0);
#endif
#if CUSTODIANS > 1
    run Custodian(1);
#endif
#ifdef WORLD
    run World();
#endif
    run Oracle();
    i = 0; j = 0
  }
}
