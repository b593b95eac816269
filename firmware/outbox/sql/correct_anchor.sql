-- SPDX-License-Identifier: Apache-2.0
UPDATE anchor SET corrected_by = ?2 WHERE id = ?1
