function body(this: void): void {
  console.log(body.name, body.length, String(body).slice(0, 14));
}
Deno.test("prints", body);
