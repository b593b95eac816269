-- SPDX-License-Identifier: Apache-2.0
INSERT INTO uplink (name) VALUES (?1) RETURNING id
