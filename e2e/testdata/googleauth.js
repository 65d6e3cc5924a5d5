const {GoogleAuth} = require("google-auth-library");

const [bucket, times] = process.argv.slice(2);

async function main() {
  for (let n = 0; n < Number(times); n++) {
    const auth = new GoogleAuth({scopes: ["https://www.googleapis.com/auth/cloud-platform"]});
    const answer = await auth.request({url: `https://storage.googleapis.com/storage/v1/b/${bucket}/o`});
    for (const item of answer.data.items || []) console.log(item.name);
  }
}

main().catch((err) => {
  console.error(err.message);
  process.exit(1);
});
