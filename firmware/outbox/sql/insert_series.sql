-- SPDX-License-Identifier: Apache-2.0
INSERT INTO series (epoch, stream, next_seq, gone, offered_below, manifested)
VALUES (?1, ?2, 1, 0, 1, 0) RETURNING id
