-- SPDX-License-Identifier: Apache-2.0
DELETE FROM segment WHERE place = ?1
