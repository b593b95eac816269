-- SPDX-License-Identifier: Apache-2.0
UPDATE segment SET codec = ?2 WHERE place = ?1
