Deno.test("is not reached", () => {
  const a = ;
});
