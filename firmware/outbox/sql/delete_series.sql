-- SPDX-License-Identifier: Apache-2.0
DELETE FROM series WHERE id = ?1
