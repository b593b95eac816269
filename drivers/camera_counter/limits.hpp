// SPDX-License-Identifier: Apache-2.0
// Every maximum and threshold of the camera counter, by name. Lengths are samples of the line
// (one sample is one pixel, or more on a long line) and pictures, unless said otherwise.
// The thresholds hold for all sites: a site says its lines, directions and scale, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace berm::drivers::camera_counter {

inline constexpr int kMaxLanes = 8;          // of one camera
inline constexpr int kMaxSamples = 176;      // along a line
inline constexpr int kHistoryRows = 512;     // pictures a line remembers
inline constexpr double kMargin = 0.12;      // a line is watched beyond its ends by this share
inline constexpr int kOffset = 5;            // samples from the line to the ones beside it
inline constexpr int kReservoir = 96;        // pictures the background is made from
inline constexpr double kLearnFilmS = 10.0;  // before a film's first answer
inline constexpr double kLearnLiveS = 4.0;   // before a camera's first answer
inline constexpr double kRefreshS = 2.0;     // the background is made anew this often
inline constexpr double kSampleS = 0.5;      // and takes a picture this often

// Evidence: steps of log brightness, so that 0.14 is 15 % of brightness from one picture to some.
inline constexpr float kLogOffset = 16.0f;
inline constexpr float kMinStep = 0.14f;
inline constexpr float kMaxStep = 0.20f;
inline constexpr float kNoiseFactor = 24.0f;      // of the 10th percentile of |step|
inline constexpr float kChromaScale = 1.0f / 85;  // chroma levels to log brightness
inline constexpr float kSlowWeight = 0.7f;        // of the slower filter
inline constexpr float kMinTexture = 0.05f;
inline constexpr float kTextureNoiseFactor = 7.0f;  // of the 25th percentile
inline constexpr float kRoadRatio = 0.07f;          // |log ratio| below: the road is seen
inline constexpr float kBrightRatio = 0.22f;
inline constexpr float kDarkRatio = -0.25f;  // darker with edges: a vehicle, without: a shadow
inline constexpr float kBlackRatio = -0.9f;  // no shadow is so dark
inline constexpr float kGlareRatio = 0.3f;   // brighter without edges: light on the road
inline constexpr double kGlareShare = 0.25;  // of the bright, and
inline constexpr double kGlareKept = 0.94;   // from one refresh to the next
inline constexpr double kGlareArea = 0.08;   // of all: night, brightness proves nothing

// Shapes, in widths (w) and lengths (l) of the usual vehicle of the line.
inline constexpr int kMinBlobCells = 12;
inline constexpr int kMinMotionCells = 40;  // of a blob that says how vehicles move here
inline constexpr double kMinCorrelation = 0.4;
inline constexpr double kGoodCorrelation = 0.5;
inline constexpr int kMaxShift = 24;          // pictures from one line to the next
inline constexpr double kFlashMargin = 0.03;  // everywhere at once rather than moving
inline constexpr double kMinPeak = 0.27;      // w: half the width of a part
inline constexpr double kNeck = 0.66;         // of a part's half width, where it may be cut off
inline constexpr double kNeckOfLarge = 0.5;
inline constexpr double kLongL = 1.45;
inline constexpr double kTooLongL = 1.9;
inline constexpr double kNarrowW = 1.3;
inline constexpr double kSideW = 0.7;        // narrower: may be one side of a long vehicle,
inline constexpr double kSideL = 1.15;       // if it is longer than this,
inline constexpr double kSidesApartW = 1.9;  // and the other is at most this far
inline constexpr double kSideRows = 4.0;     // and came with it
inline constexpr double kGapFill = 0.45;
inline constexpr double kMinArea = 0.16;    // w·l
inline constexpr double kSmallArea = 0.3;   // w·l
inline constexpr double kMinWidth = 0.35;   // w
inline constexpr double kMinLengthW = 1.1;  // l is within these, in w
inline constexpr double kMaxLengthW = 2.7;
inline constexpr double kCutRows = 3.5;  // nearer to the film's ends: not seen whole
inline constexpr std::size_t kKeptShapes = 96;
inline constexpr std::size_t kMaxPending = 256;
inline constexpr int kMaxBlobRows = 448;
inline constexpr int kExtractEvery = 8;  // pictures

}  // namespace berm::drivers::camera_counter
