// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/volume.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::hal {
namespace {

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(path, '/')) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  return parts;
}

std::uint64_t bytes_under(const SimNode& node) {
  std::uint64_t sum = node.seen.size();
  for (const auto& [name, child] : node.seen_entries) sum += bytes_under(*child);
  return sum;
}

void make_durable(SimNode& node) {
  node.medium = node.seen;
  node.medium_entries = node.seen_entries;
  node.unsynced.clear();
  node.is_unsynced.clear();
  node.cut_to = ~std::uint64_t{0};
  for (const auto& [name, child] : node.seen_entries) make_durable(*child);
}

void renumber(SimNode& node, std::uint64_t& next_number) {
  node.number = next_number++;
  for (const auto& [name, child] : node.seen_entries) renumber(*child, next_number);
}

// Copies nodes, each once, whatever names it has.
class TreeCopy {
 public:
  SimNodePtr copy(const SimNodePtr& node) {
    if (!node) return nullptr;
    const auto known = copies_.find(node.get());
    if (known != copies_.end()) return known->second;
    auto made = std::make_shared<SimNode>(*node);
    made->shared_memory.reset();
    copies_.emplace(node.get(), made);
    for (auto& [name, child] : made->seen_entries) child = copy(child);
    for (auto& [name, child] : made->medium_entries) child = copy(child);
    return made;
  }

 private:
  std::map<const SimNode*, SimNodePtr> copies_;
};

bool happens(Random& random, std::uint64_t quarters) {
  return random.below(4) < quarters;
}

// What the medium holds of a file once the power has gone; `quarters`: how much of the unsynced
// survives.
std::string left_of(const SimNode& node, Random& random, std::uint64_t quarters) {
  std::string left = node.medium;
  if (node.cut_to < left.size() && happens(random, quarters)) left.resize(node.cut_to);
  for (const std::uint32_t sector : node.unsynced) {
    const std::size_t offset = std::size_t{sector} * kSimSectorBytes;
    if (offset >= node.seen.size() || !happens(random, quarters)) continue;
    const std::size_t length = std::min(kSimSectorBytes, node.seen.size() - offset);
    if (left.size() < offset + length) left.resize(offset + length);
    left.replace(offset, length, node.seen, offset, length);
  }
  return left;
}

// The tree as it is found after the cut: new nodes, because old handles keep the old ones.
SimNodePtr survivor(const SimNode& node, Random& random, std::uint64_t quarters) {
  auto left = std::make_shared<SimNode>();
  left->number = node.number;
  left->is_directory = node.is_directory;
  left->path = node.path;
  if (!node.is_directory) left->medium = left->seen = left_of(node, random, quarters);
  for (const auto& [name, child] : node.medium_entries) {
    left->medium_entries.emplace(name, survivor(*child, random, quarters));
  }
  left->seen_entries = left->medium_entries;
  return left;
}

}  // namespace

SimVolume::SimVolume(SimVolumeOptions options) : options_(options) {
  make_root();
}

void SimVolume::make_root() {
  root_ = std::make_shared<SimNode>();
  root_->is_directory = true;
  root_->number = 1;
  root_->path = "/";
}

SimVolume::SimVolume(const SimVolume& other) : options_(other.options_) {
  copy_from(other);
}

void SimVolume::copy_from(const SimVolume& other) {
  TreeCopy copies;
  root_ = copies.copy(other.root_);
  pending_ = other.pending_;
  for (Pending& pending : pending_) {
    for (Change& change : pending.changes) {
      change.directory = copies.copy(change.directory);
      change.from = copies.copy(change.from);
      change.to = copies.copy(change.to);
    }
  }
  next_number_ = other.next_number_;
}

void SimVolume::restore(const SimVolume& other, bool new_numbers) {
  std::uint64_t number = next_number_;
  copy_from(other);
  ++generation_;
  is_off_ = false;
  if (!new_numbers) return;
  make_all_durable();
  number = std::max(number, next_number_);
  renumber(*root_, number);
  next_number_ = number;
}

void SimVolume::make_all_durable() {
  pending_.clear();
  make_durable(*root_);
}

Result<void> SimVolume::begin(DiskOperation operation, std::string_view path) {
  if (is_off_) return fail(system_error("power is off", EIO));
  ++operations_;
  ++counts_[operation];
  is_short_write_ = false;
  if (observer_) observer_(operations_, operation, path);
  if (is_off_) return fail(system_error("power was cut", EIO));
  const auto latency = latencies_.find(operation);
  if (latency != latencies_.end() && latency_sink_) latency_sink_(latency->second);
  return meet_fault(operation, path);
}

Result<void> SimVolume::begin_change(DiskOperation operation, std::string_view path) {
  BERM_CHECK(begin(operation, path));
  if (is_read_only_) return fail(system_error(path, EROFS));
  return {};
}

Result<void> SimVolume::meet_fault(DiskOperation operation, std::string_view path) {
  for (auto active = faults_.begin(); active != faults_.end(); ++active) {
    const DiskFault& fault = active->fault;
    if (fault.operation != operation || !path.contains(fault.path_contains)) continue;
    if (active->seen++ < fault.let_pass) continue;
    const DiskFaultKind kind = fault.kind;
    ++faults_met_;
    if (!fault.is_lasting) faults_.erase(active);
    if (kind == DiskFaultKind::io) return fail(system_error(path, EIO));
    if (kind == DiskFaultKind::no_space) return fail(system_error(path, ENOSPC));
    is_short_write_ = true;
    return {};
  }
  return {};
}

std::uint64_t SimVolume::operations(DiskOperation operation) const {
  const auto count = counts_.find(operation);
  return count == counts_.end() ? 0 : count->second;
}

void SimVolume::set_latency(DiskOperation operation, Microseconds latency) {
  latencies_[operation] = latency;
}

std::uint64_t SimVolume::used() const {
  return bytes_under(*root_);
}

SimNodePtr SimVolume::find(std::string_view path) const {
  if (is_off_) return nullptr;
  SimNodePtr node = root_;
  for (const std::string_view part : components(path)) {
    const auto child = node->seen_entries.find(part);
    if (child == node->seen_entries.end()) return nullptr;
    node = child->second;
  }
  return node;
}

Result<SimVolume::Place> SimVolume::place_of(std::string_view path) const {
  std::vector<std::string_view> parts = components(path);
  if (parts.empty()) return fail(system_error(path, EINVAL));
  Place place{root_, std::string(parts.back())};
  parts.pop_back();
  for (const std::string_view part : parts) {
    const auto child = place.directory->seen_entries.find(part);
    if (child == place.directory->seen_entries.end()) return fail(system_error(path, ENOENT));
    if (!child->second->is_directory) return fail(system_error(path, ENOTDIR));
    place.directory = child->second;
  }
  return place;
}

SimNodePtr SimVolume::make_anonymous() {
  auto node = std::make_shared<SimNode>();
  node->number = next_number_++;
  return node;
}

void SimVolume::add_pending(Pending pending) {
  for (const Change& change : pending.changes) {
    if (change.to) {
      change.directory->seen_entries[change.name] = change.to;
    } else {
      change.directory->seen_entries.erase(change.name);
    }
  }
  pending_.push_back(std::move(pending));
}

Result<SimNodePtr> SimVolume::open(std::string_view path, bool create, bool exclusive) {
  BERM_CHECK(begin(DiskOperation::open, path));
  BERM_TRY(const Place place, place_of(path));
  const auto known = place.directory->seen_entries.find(place.name);
  if (known != place.directory->seen_entries.end()) {
    if (known->second->is_directory) return fail(system_error(path, EISDIR));
    if (create && exclusive) return fail(system_error(path, EEXIST));
    return known->second;
  }
  if (!create) return fail(system_error(path, ENOENT));
  if (is_read_only_) return fail(system_error(path, EROFS));
  SimNodePtr node = make_anonymous();
  node->path = std::string(path);
  add_pending({{{place.directory, place.name, nullptr, node}}, true});
  return node;
}

Result<std::size_t> SimVolume::read(const SimNode& node, std::uint64_t offset,
                                    std::span<char> into) {
  BERM_CHECK(begin(DiskOperation::read, node.path));
  if (offset >= node.seen.size()) return std::size_t{0};
  return node.seen.copy(into.data(), into.size(), offset);
}

void SimVolume::mark_unsynced(SimNode& node, std::uint64_t offset, std::size_t length) {
  if (length == 0) return;
  const std::uint64_t last = (offset + length - 1) / kSimSectorBytes;
  if (node.is_unsynced.size() <= last) node.is_unsynced.resize(last + 1);
  for (std::uint64_t sector = offset / kSimSectorBytes; sector <= last; ++sector) {
    if (node.is_unsynced[sector]) continue;
    node.is_unsynced[sector] = true;
    node.unsynced.push_back(static_cast<std::uint32_t>(sector));
  }
}

Result<std::size_t> SimVolume::write(SimNode& node, std::uint64_t offset, std::string_view bytes) {
  BERM_CHECK(begin_change(DiskOperation::write, node.path));
  if (is_short_write_) bytes = bytes.substr(0, (bytes.size() + 1) / 2);
  const std::uint64_t old_size = node.seen.size();
  if (offset + bytes.size() > old_size) {
    const std::uint64_t taken = used();
    const std::uint64_t room =
        options_.capacity_bytes > taken ? options_.capacity_bytes - taken : 0;
    if (offset > old_size + room) return fail(system_error(node.path, ENOSPC));
    bytes = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), old_size + room - offset));
    if (bytes.empty()) return fail(system_error(node.path, ENOSPC));
  }
  const std::uint64_t end = offset + bytes.size();
  if (end > old_size) node.seen.resize(end);
  node.seen.replace(offset, bytes.size(), bytes);
  const std::uint64_t first = std::min(offset, old_size);  // a hole is unsynced too
  mark_unsynced(node, first, end - first);
  return bytes.size();
}

Result<void> SimVolume::sync(const SimNodePtr& node) {
  const auto begun = begin(DiskOperation::sync, node->path);
  if (!begun && !is_off_) {
    node->unsynced.clear();
    node->is_unsynced.clear();
  }
  BERM_CHECK(begun);
  if (node->cut_to < node->medium.size()) node->medium.resize(node->cut_to);
  node->medium.resize(node->seen.size());
  for (const std::uint32_t sector : node->unsynced) {
    const std::size_t offset = std::size_t{sector} * kSimSectorBytes;
    if (offset >= node->seen.size()) continue;
    const std::size_t length = std::min(kSimSectorBytes, node->seen.size() - offset);
    node->medium.replace(offset, length, node->seen, offset, length);
    synced_bytes_ += kSimSectorBytes;
  }
  node->unsynced.clear();
  node->is_unsynced.clear();
  node->cut_to = ~std::uint64_t{0};
  if (options_.creation_needs_directory_sync) return {};
  std::vector<bool> marked(pending_.size());
  for (std::size_t n = 0; n < pending_.size(); ++n) {
    marked[n] = pending_[n].is_creation && pending_[n].changes.back().to == node;
  }
  carry_over(std::move(marked));
  return {};
}

Result<void> SimVolume::truncate(SimNode& node, std::uint64_t size) {
  BERM_CHECK(begin_change(DiskOperation::truncate, node.path));
  const std::uint64_t old_size = node.seen.size();
  if (size > old_size && size - old_size + used() > options_.capacity_bytes) {
    return fail(system_error(node.path, ENOSPC));
  }
  node.seen.resize(size);
  if (size > old_size) mark_unsynced(node, old_size, size - old_size);
  if (size < old_size) node.cut_to = std::min(node.cut_to, size);
  return {};
}

Result<void> SimVolume::rename(std::string_view from, std::string_view to) {
  BERM_CHECK(begin_change(DiskOperation::rename, from));
  BERM_TRY(const Place source, place_of(from));
  BERM_TRY(const Place target, place_of(to));
  const auto node = source.directory->seen_entries.find(source.name);
  if (node == source.directory->seen_entries.end()) return fail(system_error(from, ENOENT));
  const SimNodePtr moved = node->second;
  const auto known = target.directory->seen_entries.find(target.name);
  const SimNodePtr replaced =
      known == target.directory->seen_entries.end() ? nullptr : known->second;
  if (replaced == moved) return {};
  if (replaced && replaced->is_directory) return fail(system_error(to, EISDIR));
  moved->path = std::string(to);
  add_pending({{{source.directory, source.name, moved, nullptr},
                {target.directory, target.name, replaced, moved}},
               false});
  return {};
}

Result<void> SimVolume::remove(std::string_view path) {
  BERM_CHECK(begin_change(DiskOperation::remove, path));
  BERM_TRY(const Place place, place_of(path));
  const auto node = place.directory->seen_entries.find(place.name);
  if (node == place.directory->seen_entries.end()) return fail(system_error(path, ENOENT));
  if (node->second->is_directory) return fail(system_error(path, EISDIR));
  add_pending({{{place.directory, place.name, node->second, nullptr}}, false});
  return {};
}

Result<void> SimVolume::make_directory(std::string_view path) {
  BERM_CHECK(begin(DiskOperation::make_directory, path));
  const SimNodePtr known = find(path);
  if (known && known->is_directory) return {};
  if (known) return fail(system_error(path, EEXIST));
  if (is_read_only_) return fail(system_error(path, EROFS));
  BERM_TRY(const Place place, place_of(path));
  SimNodePtr node = make_anonymous();
  node->is_directory = true;
  node->path = std::string(path);
  add_pending({{{place.directory, place.name, nullptr, node}}, true});
  return {};
}

Result<void> SimVolume::sync_directory(std::string_view path) {
  BERM_CHECK(begin(DiskOperation::sync_directory, path));
  const SimNodePtr directory = find(path);
  if (!directory) return fail(system_error(path, ENOENT));
  if (!directory->is_directory) return fail(system_error(path, ENOTDIR));
  std::vector<bool> marked(pending_.size());
  for (std::size_t n = 0; n < pending_.size(); ++n) {
    for (const Change& change : pending_[n].changes) {
      if (change.directory == directory) marked[n] = true;
    }
  }
  carry_over(std::move(marked));
  return {};
}

Result<std::vector<std::string>> SimVolume::list(std::string_view path) {
  BERM_CHECK(begin(DiskOperation::list, path));
  const SimNodePtr directory = find(path);
  if (!directory) return fail(system_error(path, ENOENT));
  if (!directory->is_directory) return fail(system_error(path, ENOTDIR));
  std::vector<std::string> names;
  for (const auto& [name, node] : directory->seen_entries) names.push_back(name);
  return names;
}

void SimVolume::apply(const Pending& pending) {
  for (const Change& change : pending.changes) {
    SimEntries& entries = change.directory->medium_entries;
    if (change.to) {
      entries[change.name] = change.to;
      continue;
    }
    const auto known = entries.find(change.name);
    if (known != entries.end() && known->second == change.from) entries.erase(known);
  }
}

// Whatever is marked becomes durable, and with it every earlier operation on the same names.
void SimVolume::carry_over(std::vector<bool> marked) {
  std::set<std::pair<const SimNode*, std::string_view>> names;
  for (std::size_t n = pending_.size(); n-- > 0;) {
    for (const Change& change : pending_[n].changes) {
      if (names.contains({change.directory.get(), change.name})) marked[n] = true;
    }
    if (!marked[n]) continue;
    for (const Change& change : pending_[n].changes) {
      names.insert({change.directory.get(), change.name});
    }
  }
  std::vector<Pending> left;
  for (std::size_t n = 0; n < pending_.size(); ++n) {
    if (marked[n]) apply(pending_[n]);
  }
  for (std::size_t n = 0; n < pending_.size(); ++n) {
    if (!marked[n]) left.push_back(std::move(pending_[n]));
  }
  pending_ = std::move(left);
}

void SimVolume::power_cut(Random& random) {
  // From "nothing of it" to "all of it", so that the extremes come up often.
  const std::uint64_t quarters = random.below(5);
  std::vector<bool> marked(pending_.size());
  for (std::size_t n = 0; n < marked.size(); ++n) marked[n] = happens(random, quarters);
  carry_over(std::move(marked));
  root_ = survivor(*root_, random, quarters);
  pending_.clear();
  ++generation_;
  is_off_ = true;
}

}  // namespace berm::hal
