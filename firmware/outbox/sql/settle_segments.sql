-- SPDX-License-Identifier: Apache-2.0
-- ?2: wall minus mono.
UPDATE segment SET anchor = ?1, made_s = (made_last + ?2) / 1000000 WHERE boot = ?3 AND anchor IS
  NULL
