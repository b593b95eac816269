-- SPDX-License-Identifier: Apache-2.0
INSERT INTO epoch (epoch, node, reason) VALUES (?1, ?2, ?3) RETURNING id
