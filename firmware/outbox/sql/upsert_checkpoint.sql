-- SPDX-License-Identifier: Apache-2.0
INSERT INTO checkpoint (key, bytes) VALUES (?1, ?2)
ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes
