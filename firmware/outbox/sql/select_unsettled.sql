-- SPDX-License-Identifier: Apache-2.0
SELECT boot, min(made_first), min(mono_first), max(made_last) FROM segment WHERE anchor IS NULL
GROUP BY boot ORDER BY boot DESC
