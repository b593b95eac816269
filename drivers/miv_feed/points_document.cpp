// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/points_document.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

constexpr int kPointDepth = 2;
constexpr int kFieldDepth = 3;
constexpr double kMaxKm = 10'000.0;
constexpr double kMaxLambertM = 1'000'000.0;

}  // namespace

PointsDocument::PointsDocument() : xml_(*this, XmlLimits{.max_bytes = kMaxDocumentBytes}) {}

Result<void> PointsDocument::finish() {
  auto ended = xml_.finish();
  if (!ended && is_in_point_) ++counts_.cut;
  return ended;
}

std::string_view PointsDocument::begin_root(std::string_view name) {
  if (name == "mivconfig") return {};
  refusal_ =
      "this is no list of points: it begins with <" + std::string(name) + ">, not with <mivconfig>";
  return refusal_;
}

std::string_view PointsDocument::start(std::string_view name,
                                       std::span<const XmlAttribute> attributes) {
  if (++depth_ == 1) return begin_root(name);
  element_ = depth_ <= kFieldDepth ? name : std::string_view();
  if (depth_ == kPointDepth && name == "meetpunt") begin_point(attributes);
  // expat keeps each name it meets; a list has ten, whatever more there is must have an end.
  if (depth_ > kFieldDepth || attributes.size() > 1) unknown_ += 1 + attributes.size();
  if (++unknown_ > kMaxUnknownElements + points_.size() * 16) return "too many unknown elements";
  return {};
}

void PointsDocument::begin_point(std::span<const XmlAttribute> attributes) {
  point_ = Point();
  is_in_point_ = true;
  const auto id = std::ranges::find(attributes, "unieke_id", &XmlAttribute::name);
  const auto uid = id == attributes.end() ? std::nullopt : parse_integer(trim(id->value));
  has_id_ = uid && *uid >= 0;
  if (has_id_) {
    point_.uid = *uid;
  } else {
    ++counts_.missing_id;
  }
}

void PointsDocument::end_point() {
  is_in_point_ = false;
  if (!has_id_) return;
  if (points_.size() == kMaxPoints) {
    ++counts_.too_many;
    return;
  }
  points_.push_back(std::move(point_));
}

std::string_view PointsDocument::text(std::string_view text) {
  if (depth_ == kPointDepth && element_ == "tijd_laatste_config_wijziging") {
    if (const auto us = parse_iso8601_us(trim(text))) configured_ = wall_us(*us);
  }
  if (depth_ != kFieldDepth || !is_in_point_ || !has_id_) return {};
  const std::string_view value = trim(text);
  if (!value.empty()) set_field(value);
  return {};
}

std::string_view PointsDocument::end(std::string_view) {
  if (depth_ == kPointDepth && is_in_point_) end_point();
  element_.clear();
  --depth_;
  return {};
}

void PointsDocument::set_field(std::string_view value) {
  const std::string_view element = element_;
  if (element == "volledige_naam") {
    set_text(point_.name, value, kMaxNameBytes);
  } else if (element == "Ident_8") {
    set_text(point_.road, value, kMaxCodeBytes);
  } else if (element == "Rijstrook") {
    set_text(point_.lane, value, kMaxCodeBytes);
  } else if (element == "Kmp_Rsys") {
    point_.km = number_of(value, -kMaxKm, kMaxKm);
  } else if (element == "X_coord_EPSG_31370") {
    point_.x = number_of(value, -kMaxLambertM, kMaxLambertM);
  } else if (element == "Y_coord_EPSG_31370") {
    point_.y = number_of(value, -kMaxLambertM, kMaxLambertM);
  } else if (element == "breedtegraad_EPSG_4326") {
    point_.lat = number_of(value, -90.0, 90.0);
  } else if (element == "lengtegraad_EPSG_4326") {
    point_.lon = number_of(value, -180.0, 180.0);
  }
}

void PointsDocument::set_text(std::string& field, std::string_view value, std::size_t max_bytes) {
  if (value.size() > max_bytes) {
    ++counts_.odd_values;
    return;
  }
  field = value;
}

std::optional<double> PointsDocument::number_of(std::string_view value, double min, double max) {
  std::string text(value);
  std::ranges::replace(text, ',', '.');
  const auto number = parse_number(text);
  if (number && *number >= min && *number <= max) return number;
  ++counts_.odd_values;
  return std::nullopt;
}

}  // namespace berm::drivers::miv_feed
