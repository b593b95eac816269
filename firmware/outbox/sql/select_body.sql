-- SPDX-License-Identifier: Apache-2.0
SELECT body FROM segment WHERE place = ?1
