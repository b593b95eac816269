-- SPDX-License-Identifier: Apache-2.0
SELECT id, epoch, stream, next_seq, gone, offered_below, manifested, debt FROM series ORDER BY id
