class Definition {
  name = "of a class";
  fn(t: Deno.TestContext): void {
    console.log(t.name);
  }
}
class Inherited extends Definition {
  override name = "of a class that inherits";
}
Deno.test(new Definition());
Deno.test(new Inherited());
