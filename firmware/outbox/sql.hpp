// SPDX-License-Identifier: Apache-2.0
// The texts of sql/*.sql and migrations/*.sql, embedded at build.
#pragma once

namespace berm::outbox::sql {

extern const char* const kSelectEpochs;
extern const char* const kInsertEpoch;
extern const char* const kDeleteEpoch;
extern const char* const kSelectMeta;
extern const char* const kUpsertMeta;
extern const char* const kSelectSeries;
extern const char* const kInsertSeries;
extern const char* const kUpdateSeries;
extern const char* const kDeleteSeries;
extern const char* const kSelectBoot;
extern const char* const kInsertBoot;
extern const char* const kSelectAnchor;
extern const char* const kSelectBootAnchor;
extern const char* const kSelectEstimates;
extern const char* const kSelectNewestWall;
extern const char* const kInsertAnchor;
extern const char* const kCorrectAnchor;
extern const char* const kInsertSegment;
extern const char* const kSeekSegment;
extern const char* const kLastSegment;
extern const char* const kSeekLevel;
extern const char* const kSeekOriginal;
extern const char* const kLastUnmerged;
extern const char* const kSeekOlder;
extern const char* const kUpdateLevel;
extern const char* const kSelectBody;
extern const char* const kDeleteSegment;
extern const char* const kSelectUnsettled;
extern const char* const kSettleSegments;
extern const char* const kSelectUplink;
extern const char* const kSelectUplinks;
extern const char* const kInsertUplink;
extern const char* const kDeleteUplink;
extern const char* const kSelectUndelivered;
extern const char* const kUpsertUndelivered;
extern const char* const kDeleteUndelivered;
extern const char* const kInsertSetAside;
extern const char* const kListSetAside;
extern const char* const kSelectSetAside;
extern const char* const kDeleteSetAside;
extern const char* const kTrimSetAside;
extern const char* const kTrimSetAsideOf;
extern const char* const kCountSetAside;
extern const char* const kCountSetAsideOf;
extern const char* const kDeleteUndeliveredOf;
extern const char* const kUpsertCheckpoint;
extern const char* const kSelectCheckpoints;
extern const char* const kSeekWholeSegment;
extern const char* const kSelectNamedSeries;
extern const char* const kSelectUndeliveredByName;
extern const char* const kSelectBootName;
extern const char* const kSelectWholeAnchor;
extern const char* const kFindAnchor;
extern const char* const kDeleteMeta;
extern const char* const kMigration0001Initial;
extern const char* const kMigration0002Manifests;

}  // namespace berm::outbox::sql
