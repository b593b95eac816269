-- SPDX-License-Identifier: Apache-2.0
UPDATE series SET next_seq = ?2, gone = ?3, offered_below = ?4, manifested = ?5, debt = ?6
WHERE id = ?1
