// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/data_document.hpp"

#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

constexpr int kPointDepth = 2;

const XmlAttribute* find(std::span<const XmlAttribute> attributes, std::string_view name) {
  for (const XmlAttribute& attribute : attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

}  // namespace

enum class DataDocument::Element : std::uint8_t {
  other,
  published,
  configured,
  point,
  observed,
  available,
  defect,
  valid,
  measured,
  count,
  arithmetic,
  harmonic,
  computed,
  occupancy,
  availability,
  unrest,
  ignored,  // known, and of no use
};

struct DataDocument::Known {
  std::string_view name;
  Element element;
  int depth;  // where it means that
};

// The most frequent first.
const DataDocument::Known DataDocument::kKnown[] = {
    {"verkeersintensiteit", Element::count, 4},
    {"voertuigsnelheid_rekenkundig", Element::arithmetic, 4},
    {"voertuigsnelheid_harmonisch", Element::harmonic, 4},
    {"meetdata", Element::measured, 3},
    {"meetpunt", Element::point, kPointDepth},
    {"tijd_waarneming", Element::observed, 3},
    {"beschikbaar", Element::available, 3},
    {"defect", Element::defect, 3},
    {"geldig", Element::valid, 3},
    {"rekendata", Element::computed, 3},
    {"bezettingsgraad", Element::occupancy, 4},
    {"beschikbaarheidsgraad", Element::availability, 4},
    {"onrustigheid", Element::unrest, 4},
    {"lve_nr", Element::ignored, 3},
    {"tijd_laatst_gewijzigd", Element::ignored, 3},
    {"actueel_publicatie", Element::ignored, 3},
    {"tijd_publicatie", Element::published, kPointDepth},
    {"tijd_laatste_config_wijziging", Element::configured, kPointDepth},
};

DataDocument::DataDocument(DataReader& reader)
    : reader_(reader),
      element_(Element::other),
      xml_(*this, XmlLimits{.max_bytes = kMaxDocumentBytes}) {}

Result<void> DataDocument::finish() {
  auto ended = xml_.finish();
  if (!ended && is_in_point_) ++counts_.cut;
  return ended;
}

std::string_view DataDocument::begin_root(std::string_view name) {
  if (name == "miv") return {};
  refusal_ = "this is no traffic data: it begins with <" + std::string(name) + ">, not with <miv>";
  return refusal_;
}

DataDocument::Element DataDocument::element_of(std::string_view name) const {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.depth == depth_ ? known.element : Element::other;
  }
  return Element::other;
}

std::string_view DataDocument::start(std::string_view name,
                                     std::span<const XmlAttribute> attributes) {
  if (++depth_ == 1) return begin_root(name);
  element_ = element_of(name);
  if (element_ == Element::point) {
    begin_point(attributes);
  } else if (element_ == Element::measured) {
    begin_class(attributes);
  }
  if (element_ == Element::other || attributes.size() > 2) unknown_ += 1 + attributes.size();
  return unknown_ > kMaxUnknownElements ? "too many unknown elements" : std::string_view();
}

void DataDocument::begin_point(std::span<const XmlAttribute> attributes) {
  point_ = MeasuredPoint();
  is_in_point_ = true;
  has_time_ = false;
  class_ = nullptr;
  const XmlAttribute* id = find(attributes, "unieke_id");
  const auto uid = id == nullptr ? std::nullopt : parse_integer(trim(id->value));
  is_skipped_ = true;
  if (!uid || *uid < 0) {
    ++counts_.missing_id;
    return;
  }
  point_.uid = *uid;
  is_skipped_ = !reader_.wants(*uid);
  if (is_skipped_) ++counts_.unwanted;
}

void DataDocument::begin_class(std::span<const XmlAttribute> attributes) {
  class_ = nullptr;
  if (is_skipped_) return;
  const XmlAttribute* id = find(attributes, "klasse_id");
  const auto number = id == nullptr ? std::nullopt : parse_integer(trim(id->value));
  if (!number || *number < 1 || *number > kClasses) {
    ++counts_.odd_values;
    return;
  }
  class_ = &point_.classes[static_cast<std::size_t>(*number - 1)];
  if (class_->count) ++counts_.odd_values;  // the class is there twice: the last one counts
  *class_ = MeasuredClass();
}

// Where a number of this element goes; nullptr: nowhere.
std::optional<std::int64_t>* DataDocument::target() {
  switch (element_) {
    case Element::available:
      return &point_.available;
    case Element::defect:
      return &point_.defect;
    case Element::valid:
      return &point_.valid;
    case Element::count:
      return class_ == nullptr ? nullptr : &class_->count;
    case Element::arithmetic:
      return class_ == nullptr ? nullptr : &class_->arithmetic;
    case Element::harmonic:
      return class_ == nullptr ? nullptr : &class_->harmonic;
    case Element::occupancy:
      return &point_.occupancy;
    case Element::availability:
      return &point_.availability;
    case Element::unrest:
      return &point_.unrest;
    default:
      return nullptr;
  }
}

std::optional<WallTime> DataDocument::time_of(std::string_view text) {
  if (text != last_time_text_) {
    last_time_text_ = text;
    const auto us = parse_iso8601_us(trim(text));
    last_time_ = us ? std::optional(wall_us(*us)) : std::nullopt;
  }
  return last_time_;
}

std::string_view DataDocument::text(std::string_view text) {
  if (element_ == Element::other || element_ == Element::ignored) return {};
  if (element_ == Element::published) times_.published = time_of(text);
  if (element_ == Element::configured) times_.configured = time_of(text);
  if (!is_in_point_ || is_skipped_) return {};
  if (element_ == Element::observed) {
    const auto observed = time_of(text);
    has_time_ = observed.has_value();
    if (observed) point_.observed = *observed;
    return {};
  }
  std::optional<std::int64_t>* value = target();
  if (value == nullptr) return {};
  *value = parse_integer(trim(text));
  if (!*value) ++counts_.odd_values;
  return {};
}

std::string_view DataDocument::end(std::string_view) {
  element_ = Element::other;
  if (depth_ == kPointDepth + 1) class_ = nullptr;
  if (depth_ == kPointDepth && is_in_point_) end_point();
  --depth_;
  return {};
}

void DataDocument::end_point() {
  is_in_point_ = false;
  if (is_skipped_) return;
  if (!has_time_) {
    ++counts_.bad_time;
    return;
  }
  ++counts_.points;
  reader_.on_point(times_, point_);
}

}  // namespace berm::drivers::miv_feed
