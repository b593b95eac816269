-- SPDX-License-Identifier: Apache-2.0
SELECT s.id, e.epoch, e.node, s.stream, s.next_seq FROM series s JOIN epoch e ON e.id = s.epoch
ORDER BY e.id, s.id
