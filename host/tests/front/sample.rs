//! The task that most tests submit, and the answers a model may give to it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

pub(crate) const GOAL: &str = "Write add.py with add(a, b) that returns the sum.";

pub(crate) const TEST: &str = "\
import unittest
from add import add


class TestAdd(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(add(2, 3), 5)
";

pub(crate) const WRONG: &str = "\
Here is the function:

```python
# add.py
def add(a, b):
    return a - b
```
";

pub(crate) const RIGHT: &str = "\
```python
# add.py
def add(a, b):
    return a + b
```
";

pub(crate) const DIFF: &str = "\
diff --git a/add.py b/add.py
new file mode 100644
--- /dev/null
+++ b/add.py
@@ -0,0 +1,2 @@
+def add(a, b):
+    return a + b
";

pub(crate) fn body() -> Value {
    json!({
        "goal": GOAL,
        "files": [{ "path": "test_add.py", "content": TEST }],
        "tests": ["test_add.py"],
    })
}

/// So much later than now, in milliseconds since 1970.
pub(crate) fn in_millis(millis: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_millis()).expect("before the sun is cold") + millis
}
